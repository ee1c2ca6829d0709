// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "h5/file.hpp"
#include "simulate/shapes.hpp"

namespace popflow::simulate {

/// Creates the `.h5ad` of a family under its temporary name. write_shapes() fills in the rows of X and obs.
/// Exactly one process calls this function.
///
/// X is dense float32, [cells, markers]. The rows of a population are consecutive. Columns of obs, all
/// categorical:
///   - `population`: name of the population
///   - `treatment`: label
///   - `split`: `train` or `test`
///   - `true_pair`: label that a control and its treated populations share, if the law has pairs
///   - `state`: state of the cell, if the law has states
///
/// uns/simulation holds version, seed, family and options, the arrays of the law, and the table `parameters`
/// with the true parameters of each population.
///
/// @return  file whose commit() renames it to `path`; without commit() its destructor removes it
/// @throws core::DataError if the file cannot be written
std::unique_ptr<h5::AtomicFile> create_shapes_file(const Shapes& shapes, const std::string& path);

/// Draws the cells of the given populations and writes their rows into the temporary file of `path`. Not
/// collective: several processes may write different populations at the same time. The bytes of the file
/// depend neither on the distribution of the populations over processes nor on the number of threads.
///
/// @param populations  indices into shapes.populations
/// @throws core::DataError if the file is missing or a write fails
void write_shapes(const Shapes& shapes, const std::string& path, std::span<const std::size_t> populations);

}  // namespace popflow::simulate
