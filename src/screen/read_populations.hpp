// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// Reads and transforms the cells of the given populations. Memory use depends on these populations only.
///
/// Reads obs again, limited to the blocks of rows that hold these populations. Reads X only in blocks that
/// hold some of their cells.
///
/// @param populations  indices into screen.populations, each at most once
/// @param rows  if not null, receives the row in the file of every cell, in the order of the cells
/// @return  cells in the order of `populations`; within a population in the order of the file
/// @throws DataError for a NaN, infinite or (with log1p) negative value, naming its row and marker. Also if
///         the file changed after it was opened.
std::vector<Cells> read_populations(const Screen& screen, std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// Overload that writes to destination spans: out[k] receives the cells of populations[k].
/// @throws core::ShapeMismatch if the size of a destination span is not that of its population
void read_populations(const Screen& screen, std::span<const std::size_t> populations,
                      std::span<const CellsSpan> out,
                      std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// All cells of a file, independent of obs.
struct AllCells {
    std::vector<std::string> markers;
    linalg::Matrix<float> x;  ///< [n, d], transformed
};

/// Reads and transforms all cells of a file.
/// @param options  only `markers`, `exclude_markers` and `transform` are used
/// @throws DataError as read_populations(), for an unknown marker, and if the file has no cells
AllCells read_all_cells(const std::string& file, const ScreenOptions& options);

}  // namespace popflow::screen
