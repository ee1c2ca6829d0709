// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::fuzz {

/// Reads a whole file, as a verb of the program does.
using Reader = void (*)(const std::string& path);

/// Format that popflow reads.
struct Format {
    /// h5ad, cells (also .h5ad), checkpoint, results, problems, training, fcs, table, config, image
    const char* name;
    Reader read;
};

/// Returns all formats.
const std::vector<Format>& formats();
/// Returns the format with the given name.
/// @throws std::invalid_argument for an unknown name
const Format& format(const std::string& name);

/// Small valid file: a golden .h5ad file, a file that popflow writes, an FCS file, or an image.
struct Seed {
    std::string format;
    std::string path;
};
/// Writes the seeds in popflow's own formats, FCS files and images to a folder.
void write_seeds(const std::string& folder);
/// Returns all seeds: the .h5ad files of folder `golden`, and the files that write_seeds() wrote.
/// @param folder  the folder of write_seeds()
std::vector<Seed> seeds(const std::string& golden, const std::string& folder);

}  // namespace popflow::fuzz
