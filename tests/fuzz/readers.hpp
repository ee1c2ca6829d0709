// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::fuzz {

/// Reads a file as a verb of the program does, from beginning to end.
using Reader = void (*)(const std::string& path);

/// One of the formats that popflow reads.
struct Format {
    const char* name;  ///< h5ad, cells (also .h5ad), checkpoint, results, training
    Reader read;
};

const std::vector<Format>& formats();
/// @throws std::invalid_argument for a name that is none
const Format& format(const std::string& name);

/// Small sound files: the golden .h5ad files of a folder, and those that popflow writes itself.
struct Seed {
    std::string format;
    std::string path;
};
/// Writes those of popflow's own formats.
void write_seeds(const std::string& folder);
/// @param folder  where write_seeds() wrote
std::vector<Seed> seeds(const std::string& golden, const std::string& folder);

}  // namespace popflow::fuzz
