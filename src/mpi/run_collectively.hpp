// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Runs `work` on every rank, and where it fails on any of them throws on all, so that none waits for
/// another. Collective.
///
/// @throws core::UserError if every failure is the user's to mend, else core::Error; with the words of the
/// first rank that failed on rank 0, elsewhere with those of the rank itself
void run_collectively(const Communicator& comm, const std::function<void()>& work);

}  // namespace popflow::mpi
