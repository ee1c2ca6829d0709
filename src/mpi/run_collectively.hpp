// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Runs `work` on every rank. If it throws on any rank, throws on all ranks, so that no rank blocks in a
/// later collective. Collective.
///
/// A rank that throws skips the collectives that remain in `work`, while the other ranks would block in them.
/// Therefore `work` must not throw on one rank alone before a collective.
///
/// @throws core::UserError if every failed rank threw one, otherwise core::Error. On rank 0 the text is that
/// of the lowest rank that failed. On other ranks it is that of the rank itself, or `another rank failed`
void run_collectively(const Communicator& comm, const std::function<void()>& work);

}  // namespace popflow::mpi
