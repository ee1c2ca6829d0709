// SPDX-License-Identifier: MIT
#pragma once

#include "mpi/communicator.hpp"

namespace popflow::support {

/// Returns the communicator of all ranks. Only for programs with the main() of mpi_main.cpp, inside a test.
///
/// Every rank runs the same tests in the same order. Failures of EXPECT_* do not change what a rank does, so
/// all ranks still make the same collective calls. Use ASSERT_* only where the rest of the test makes no
/// sense: if one rank alone leaves a test, the program aborts after the other ranks have had a few seconds.
const mpi::Communicator& communicator();

}  // namespace popflow::support
