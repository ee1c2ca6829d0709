// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::mpi {

/// Ends the process with an exit code if MPI_Finalize crashes, for as long as the object lives.
///
/// Open MPI 4.1 sometimes crashes inside MPI_Finalize, about once in 100 launches on an oversubscribed
/// machine: its progress threads still run while the main thread frees what they use (open-mpi/ompi issue
/// 10117). A scheduler then takes a finished job for a failed one.
///
/// Catches SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT in every thread, writes one line to standard error and
/// calls _exit(). Construct it only when the work of all ranks is complete, as Session::finish() does: it
/// cannot tell a crash of MPI from any other crash.
class FinalizeGuard {
  public:
    /// @param code  exit code of the process after a crash
    explicit FinalizeGuard(int code);
    /// Restores the default actions of the signals.
    ~FinalizeGuard();
    FinalizeGuard(const FinalizeGuard&) = delete;
    FinalizeGuard& operator=(const FinalizeGuard&) = delete;
};

}  // namespace popflow::mpi
