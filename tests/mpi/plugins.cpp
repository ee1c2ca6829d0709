// SPDX-License-Identifier: MIT
// Exits 1 if finalizing MPI unloads a library. A thread of MPI may still execute code of that library.
#include <algorithm>
#include <cstdio>

#include "mpi/communicator.hpp"
#include "mpi/loaded_libraries.hpp"

int main(int argc, char** argv) {
    std::vector<std::string> before;
    {
        const popflow::mpi::Session session(argc, argv);
        popflow::mpi::Communicator::world().barrier();
        before = popflow::mpi::loaded_libraries();
    }
    const std::vector<std::string> after = popflow::mpi::loaded_libraries();
    long unloaded = 0;
    for (const std::string& path : before) {
        if (std::ranges::find(after, path) != after.end()) continue;
        std::printf("unloaded: %s\n", path.c_str());
        ++unloaded;
    }
    std::printf("%ld of %zu libraries unloaded\n", unloaded, before.size());
    return unloaded == 0 ? 0 : 1;
}
