// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::mpi {

/// Whether this is a singleton MPI launch: no mpirun, srun or other launcher has started the process as a
/// rank.
/// @param environment  entries `NAME=value`, terminated by a null pointer
bool is_singleton_launch(const char* const* environment);

/// Makes the start of a singleton launch faster. Does nothing if a launcher has started the process.
///
/// Sets environment variables of Open MPI that turn off work for other ranks:
///  * the additional daemon process,
///  * the folder for temporary files,
///  * the search for networks (psm2 alone sleeps for 0.2 s).
/// Keeps variables that the user has set. Call it before MPI_Init and before the first thread starts.
void prepare_singleton_launch();

}  // namespace popflow::mpi
