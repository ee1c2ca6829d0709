// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::apps {

/// Files of a run folder that a verb may overwrite.
enum class RunFiles {
    none,
    results,  ///< only results.h5
    all       ///< all files, for the training of the run
};

/// Checks that an output does not overwrite an input or a file of a run folder.
/// @param option  name of the option whose value is `path`
/// @param inputs  paths of the inputs, empty ones are ignored
/// @throws core::ConfigError if it does
void check_output(const std::string& path, const std::string& option, const std::vector<std::string>& inputs,
                  RunFiles allowed = RunFiles::none);

}  // namespace popflow::apps
