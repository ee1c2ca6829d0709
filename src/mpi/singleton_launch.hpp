// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::mpi {

/// Whether an environment (`NAME=value`, null at the end) is of a process that no mpirun, srun or other
/// launcher has started as a rank.
bool is_singleton_launch(const char* const* environment);

/// Spares a process that is started alone what Open MPI does for ranks it does not have: a daemon beside it,
/// a folder for temporary files, and the search for networks (psm2 alone sleeps for 0.2 s). Settings of the
/// user's own are kept. Comes before MPI_Init and before threads.
void prepare_singleton_launch();

}  // namespace popflow::mpi
