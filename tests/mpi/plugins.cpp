// SPDX-License-Identifier: MIT
// Exits 1 if leaving MPI unloads a library: a thread of MPI may still be in it.
#include <algorithm>
#include <cstdio>

#include "dist/communicator.hpp"
#include "dist/loaded_libraries.hpp"

int main(int argc, char** argv) {
    std::vector<std::string> before;
    {
        const popflow::dist::Session session(argc, argv);
        popflow::dist::Communicator::world().barrier();
        before = popflow::dist::loaded_libraries();
    }
    const std::vector<std::string> after = popflow::dist::loaded_libraries();
    long unloaded = 0;
    for (const std::string& path : before) {
        if (std::ranges::find(after, path) != after.end()) continue;
        std::printf("unloaded: %s\n", path.c_str());
        ++unloaded;
    }
    std::printf("%ld of %zu libraries unloaded\n", unloaded, before.size());
    return unloaded == 0 ? 0 : 1;
}
