// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::apps {

/// Which files of a run folder a verb may write.
enum class RunFiles {
    none,
    results,  ///< results.h5
    own       ///< all: the run's own training
};

/// A folder with a config.cfg, a checkpoint.h5 or a weights.h5 in it.
bool is_run_folder(const std::string& folder);

/// No output takes the place of what the user would miss: a file that is read, or one of a run folder.
/// @param option  whose value `path` is
/// @param inputs  paths; empty ones count for nothing
/// @throws core::ConfigError
void check_output(const std::string& path, const std::string& option, const std::vector<std::string>& inputs,
                  RunFiles allowed = RunFiles::none);

}  // namespace popflow::apps
