// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "h5/file.hpp"
#include "simulate/simulated_screen.hpp"

namespace popflow::simulate {

/// Makes the `.h5ad` of a simulated screen under its temporary name: shapes, names and categories are
/// complete, the rows of X and obs are left to write_simulated_populations(). Called by one process.
///
/// X is dense float32; obs has patient, culture, treatment, concentration, replicate, plate and cell_type as
/// categoricals; uns/simulation holds seed, version and options, and the true composition of each experiment.
///
/// @return  commit() puts the file in its place; destroyed without, it is removed
/// @throws core::DataError if it cannot be written
std::unique_ptr<h5::AtomicFile> create_simulated_screen_file(const SimulatedScreen& screen,
                                                             const std::string& path);

/// Draws the cells of some populations and writes their rows into the temporary file of `path`.
///
/// Between creation and commit, any number of processes may do so at the same time, each for its own
/// populations: they write to places in the file that were set aside on creation. The bytes of the file
/// depend neither on who writes what nor on the number of threads. Memory is that of a block of cells.
///
/// @param populations  indices into screen.populations
/// @throws core::DataError if the file is not there or a write fails
void write_simulated_populations(const SimulatedScreen& screen, const std::string& path,
                                 std::span<const std::size_t> populations);

}  // namespace popflow::simulate
