// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

namespace popflow::support {

/// A test that needs MPI, which starts once in a process, however many suites it has.
class WithMpi : public testing::Test {
  protected:
    WithMpi() {
        static int argc = 0;
        static char** argv = nullptr;
        static const mpi::Session session{argc, argv};
    }
};

}  // namespace popflow::support
