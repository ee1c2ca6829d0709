// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::apps {

/// Displays the progress of the training in a run folder until its last step, or until no process trains
/// there. On a terminal it redraws the loss curve every `seconds` seconds. Elsewhere it prints a line after
/// each change. Does not write to the folder.
/// @throws core::ConfigError if `run` is not a run folder
void watch_run(const std::string& run, double seconds);

}  // namespace popflow::apps
