// SPDX-License-Identifier: MIT
// Writes the seeds of the fuzz targets to OUTPUT/FORMAT/NAME.
// Usage: write_corpus GOLDEN_FOLDER OUTPUT
#include <cstdio>
#include <filesystem>

#include "fuzz/readers.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: write_corpus GOLDEN_FOLDER OUTPUT\n");
        return 2;
    }
    const popflow::support::TemporaryFolder own;
    popflow::fuzz::write_seeds(own.path());
    for (const popflow::fuzz::Seed& seed : popflow::fuzz::seeds(argv[1], own.path())) {
        const fs::path folder = fs::path(argv[2]) / seed.format;
        fs::create_directories(folder);
        fs::copy_file(seed.path, folder / fs::path(seed.path).filename(),
                      fs::copy_options::overwrite_existing);
    }
    return 0;
}
