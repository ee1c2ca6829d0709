// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Runs work over the ranks of a communicator of the calling program, such as one of mpi4py. Collective over
/// it.
///
/// It needs no Session: the calling program has initialised MPI, and finalises it. The work gets a duplicate
/// of the communicator, so that its messages never meet those of the caller.
///
/// All ranks learn how the work ended on the others. A rank whose work threw rethrows its exception. If the
/// work threw on some ranks only, the others throw too. On rank 0 the text is that of the lowest rank that
/// failed, on other ranks it is `another rank failed`. A rank that has failed waits for the others at most
/// for the time `grace`. After that it prints its error on standard error and aborts all ranks, since the
/// others may block in a collective of the work.
///
/// @param handle  Fortran handle of an intracommunicator (MPI_Comm_c2f)
/// @param work    returns an exit code
/// @param grace   longest time between the failures of two ranks that fail for the same reason
/// @return the largest exit code of all ranks, so that a stop on one rank is a stop on all
/// @throws core::UserError if MPI is not initialised or is finalised in this process, if it does not support
///         calls from several threads (MPI_THREAD_SERIALIZED), or if the handle is no intracommunicator
/// @throws core::UserError if every failed rank threw one and this rank did not fail, otherwise core::Error
/// @throws core::MpiError if an MPI call fails
int call_collectively(int handle, const std::function<int(const Communicator&)>& work,
                      std::chrono::milliseconds grace = std::chrono::seconds(10));

}  // namespace popflow::mpi
