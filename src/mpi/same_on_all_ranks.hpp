// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// Checks that `text` is the same on all ranks. Collective, but only rank 0 throws. Other ranks may already
/// be in the next collective call, so the caller of rank 0 must abort them.
/// @param what  name of the compared item for the message, such as `data file F.h5ad`
/// @throws core::Error on rank 0, with the first differing rank, its host, and the first differing line
void check_same_on_all_ranks(const Communicator& comm, const std::string& what, const std::string& text);

/// Checks that all ranks run the same version, commit and build of the program. Collective.
/// @throws core::Error as check_same_on_all_ranks()
void check_same_program(const Communicator& comm);

}  // namespace popflow::mpi
