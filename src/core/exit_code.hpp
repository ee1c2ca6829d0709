// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::core {

/// Exit codes of the program.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;     ///< the work failed
inline constexpr int exit_bad_input = 2;  ///< usage, configuration or data are invalid
inline constexpr int exit_stopped = 75;   ///< stopped on request after a checkpoint, the job can be requeued

}  // namespace popflow::core
