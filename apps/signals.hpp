// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::apps {

/// Blocks SIGTERM, SIGUSR1 and SIGINT in this thread and the threads that it starts. stop_requested() polls
/// them.
///
/// Signal handlers cannot be used: generated matrix kernels keep data below the stack pointer, where the
/// frame of a handler would be written. Must be called before MPI starts its threads.
void block_stop_signals();
/// Starts a thread that waits for SIGINT. The first one requests a stop, the second one ends the program.
void watch_for_interrupt();
/// Whether one of the signals has arrived, or the console of the process requests a stop. Polls without
/// blocking.
bool stop_requested();

}  // namespace popflow::apps
