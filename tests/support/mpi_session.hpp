// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

namespace popflow::support {

/// Fixture of tests that need MPI. Starts MPI once per process, for all test suites together.
class WithMpi : public testing::Test {
  protected:
    WithMpi() {
        static int argc = 0;
        static char** argv = nullptr;
        static const mpi::Session session{argc, argv};
    }
};

}  // namespace popflow::support
