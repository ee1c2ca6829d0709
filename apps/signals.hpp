// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::apps {

/// Holds SIGTERM, SIGUSR1 and SIGINT back until stop_requested() asks for them, in this thread and those it
/// starts.
///
/// No handler runs: generated matrix kernels keep data below the stack pointer, where a handler's frame would
/// be written. Call it before MPI starts its threads.
void hold_stop_signals();
/// Starts a thread that waits for SIGINT: the first asks for a stop, the second ends the program as if
/// nothing held it back.
void watch_for_interrupt();
/// One of them came.
bool stop_requested();

}  // namespace popflow::apps
