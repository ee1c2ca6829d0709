// SPDX-License-Identifier: MIT
// Tests which libraries are loaded after MPI_Finalize, so MPI has ended when the tests run. Until
// MPI_Finalize returns, a thread of MPI may execute code of any library that MPI has loaded.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "mpi/loaded_libraries.hpp"
#include "support/rank_printer.hpp"

namespace {

std::vector<std::string> before_finalize;

std::vector<std::string> missing_from(const std::vector<std::string>& list,
                                      const std::vector<std::string>& wanted) {
    std::vector<std::string> missing;
    for (const std::string& path : wanted) {
        if (std::ranges::find(list, path) == list.end()) missing.push_back(path);
    }
    return missing;
}

}  // namespace

TEST(LoadedLibraries, IncludeTheMpiLibraryBeforeFinalize) {
    const bool has_mpi = std::ranges::any_of(
        before_finalize, [](const std::string& path) { return path.find("/libmpi") != std::string::npos; });
    EXPECT_TRUE(has_mpi) << "found " << testing::PrintToString(before_finalize);
}

TEST(LoadedLibraries, StayLoadedAfterFinalize) {
    const std::vector<std::string> after_finalize = popflow::mpi::loaded_libraries();
    EXPECT_EQ(missing_from(after_finalize, before_finalize), std::vector<std::string>{})
        << "of " << before_finalize.size() << " libraries";
}

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    {
        const popflow::mpi::Session session(argc, argv);
        const popflow::mpi::Communicator comm = popflow::mpi::Communicator::world();
        comm.barrier();  // may load further libraries
        popflow::support::print_as_rank(comm.rank());
        before_finalize = popflow::mpi::loaded_libraries();
    }
    return RUN_ALL_TESTS();
}
