// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace popflow::eval {

/// Kinds of files that a report reads.
enum class ResultKind : std::uint8_t {
    pairs,       ///< scores of population pairs, see Results
    problems,    ///< transport problems, see ProblemResults
    sets,        ///< generated populations, see SetResults
    maps,        ///< maps between populations, see MapResults
    prediction,  ///< predicted cells, see predict::PredictionFile
    unknown      ///< any other file, and a file that cannot be read
};

/// Returns the kind of a file, of any format version. Opens the file once.
ResultKind result_kind(const std::string& path);

/// Returns the contents of a kind in words, as in `scores of generated populations`.
std::string kind_text(ResultKind kind);

}  // namespace popflow::eval
