// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/result_kind.hpp"

namespace popflow::report {

/// Result files of a report, with what was found in each folder.
struct ResultFiles {
    std::vector<std::string> files{};       ///< in the order of the arguments, each once
    std::vector<eval::ResultKind> kinds{};  ///< kind of each file
    std::vector<std::string> notes{};       ///< `runs: 9 result files`, and runs that have no results yet
};

/// Finds the result files of a report.
///
/// A file counts as it is. In a folder and all folders below it, a run folder gives its results.h5, and any
/// other folder all result files whose names end in .h5. The folder of a leave-one-out gives the results.h5
/// of all its folds, not those of each. Their order is natural: seed2 is before seed10. Follows symbolic
/// links, but visits a folder only once.
/// @throws core::ConfigError for a folder without result files and for a folder that cannot be read
ResultFiles find_result_files(const std::vector<std::string>& paths);

/// Returns the kind of all files, of which there is at least one.
/// @throws core::ConfigError for a mixture, core::DataError for a file that no report can show
eval::ResultKind common_kind(const ResultFiles& found);

}  // namespace popflow::report
