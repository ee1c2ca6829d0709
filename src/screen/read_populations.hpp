// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// Reads, scales by size factors and transforms the cells of the given populations. Memory use depends on
/// these populations only.
///
/// Reads obs again, limited to the blocks of rows that hold these populations. Reads X only in blocks that
/// hold some of their cells.
///
/// @param populations  indices into screen.populations, each at most once
/// @param rows  if not null, receives the row in the file of every cell, in the order of the cells
/// @return  cells in the order of `populations`; within a population in the order of the file
/// @throws DataError for a NaN, infinite or (with log1p or size factors) negative value, naming its row and
///         marker. Also if the file changed after it was opened.
std::vector<Cells> read_populations(const Screen& screen, std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// Overload that writes to destination spans: out[k] receives the cells of populations[k].
/// @throws core::ShapeMismatch if the size of a destination span is not that of its population
void read_populations(const Screen& screen, std::span<const std::size_t> populations,
                      std::span<const CellsSpan> out,
                      std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// Returns the sums over all columns of the matrix, for up to `max_cells` cells of each population: all cells
/// of a smaller population, otherwise runs of 25 cells that are evenly spaced over the population. Does not
/// depend on ScreenOptions::size_factor. A total is minus infinity if a value of the cell is negative.
/// @param populations  indices into screen.populations, each at most once
/// @param max_cells  a multiple of 25, or npos for all cells
/// @throws DataError if the file changed after it was opened
std::vector<std::vector<double>> read_totals(const Screen& screen, std::span<const std::size_t> populations,
                                             std::size_t max_cells = static_cast<std::size_t>(-1));

/// All cells of a file, independent of obs.
struct AllCells {
    std::vector<std::string> markers;
    linalg::Matrix<float> x;  ///< [n, d], transformed
};

/// Reads, scales and transforms all cells of a file.
/// @param options  only `source`, `markers`, `exclude_markers`, `size_factor` and `transform` are used
/// @throws DataError as read_populations(), for an unknown marker, and if the file has no cells
AllCells read_all_cells(const std::string& file, const ScreenOptions& options);

}  // namespace popflow::screen
