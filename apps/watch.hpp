// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::apps {

/// Shows how the training in a run folder goes until it has made its last step, or nobody goes
/// on with it: on a terminal its loss curve,
/// redrawn every `seconds` seconds, elsewhere a line whenever there is news. Writes nothing into the folder.
/// @throws core::ConfigError if that is no run folder
void watch_run(const std::string& run, double seconds);

}  // namespace popflow::apps
