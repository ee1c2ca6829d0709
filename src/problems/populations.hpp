// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/histogram_problem.hpp"
#include "screen/screen.hpp"

namespace popflow::problems {

/// How populations of cells are read.
struct PopulationOptions {
    screen::ScreenOptions screen{};      ///< matrix, markers, transform, rows to leave out, minimum size
    std::vector<std::string> columns{};  ///< obs columns whose values name a population
    std::size_t max_cells = 5000;        ///< maximum number of cells of a population
    bool draws_randomly = true;          ///< draw the cells at random, else take the first ones
    std::uint64_t seed = 0;              ///< seed of that draw
};

/// Populations of cells of a file.
struct Populations {
    std::string file;
    std::vector<std::string> names;                ///< values of the columns, joined by ` / `
    std::vector<std::vector<std::string>> values;  ///< [populations][columns]
    std::vector<std::string> columns;              ///< names of the columns of `values`
    std::vector<std::string> markers;
    std::vector<std::size_t> n_cells;          ///< in the file
    std::vector<linalg::Matrix<float>> cells;  ///< [n, d] drawn cells, transformed, in the order of the file
    std::string fingerprint;
    std::vector<std::string> notes;  ///< rows that were left out, and choices of the reader
};

/// Reads populations. Needs up to 256 MB more than the cells that it returns, or one whole population.
///
/// A population is drawn by its name and its position, so the draw does not depend on the number of ranks.
/// @throws core::DataError as screen::open_screen() and screen::read_populations()
Populations read_populations(const std::string& file, const PopulationOptions& options);

/// Cells that stand for all cells of some populations, and the populations as histograms over them.
struct Prototypes {
    linalg::Matrix<double> positions;       ///< [k, d]
    std::vector<ot::Histogram> histograms;  ///< share of the cells of each population at each prototype
};

/// Finds k prototypes by k-means on the pooled cells, and assigns each cell to its nearest prototype.
///
/// Starts from k-means++ and ends when no cell changes its prototype, at the latest after 100 iterations.
/// Deterministic for any number of threads. A prototype that loses its last cell keeps its position.
///
/// Source:  Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
/// @throws core::ConfigError if there are fewer different cells than prototypes
Prototypes find_prototypes(const Populations& populations, std::size_t k, std::uint64_t seed);

}  // namespace popflow::problems
