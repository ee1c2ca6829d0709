// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "h5/file.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

/// Creates the `.h5ad` of a simulated screen under its temporary name, with all shapes, names and categories.
/// write_simulated_populations() fills in the rows of X and obs. Exactly one process calls this function.
///
/// X is dense float32. obs has the categorical columns patient, culture, treatment, concentration, replicate,
/// plate and cell_type. uns/simulation holds seed, version and options, and the true composition of each
/// experiment.
///
/// @return  file whose commit() renames it to `path`; without commit() its destructor removes it
/// @throws core::DataError if the file cannot be written
std::unique_ptr<h5::AtomicFile> create_simulated_screen_file(const SimulatedScreen& screen,
                                                             const std::string& path);

/// Draws the cells of the given populations and writes their rows into the temporary file of `path`.
///
/// Not collective. Between creation and commit, any number of processes may write different populations at
/// the same time, because the space was allocated on creation. Deterministic: the bytes of the file depend
/// neither on the distribution of the populations over processes nor on the number of threads. Memory use is
/// one block of cells.
///
/// @param populations  indices into screen.populations
/// @throws core::DataError if the file is missing or a write fails
void write_simulated_populations(const SimulatedScreen& screen, const std::string& path,
                                 std::span<const std::size_t> populations);

}  // namespace popflow::simulate
