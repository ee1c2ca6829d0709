// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "screen/population.hpp"
#include "screen/read_populations.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// The cells of some populations, transformed; memory grows with these populations alone.
///
/// obs is read again within the rows where these populations lie, X only in blocks that hold some of their
/// cells.
///
/// @param populations  indices into screen.populations, without repetition
/// @param rows  if there, receives the row of the file of every cell, in the order of the cells
/// @return  in the order of `populations`; rows in the order of the file
/// @throws DataError for a NaN, infinite or (under log1p) negative value, with its row and
/// marker, and if
///         the file changed since it was opened
std::vector<Cells> read_populations(const Screen& screen, std::span<const std::size_t> populations,
                                    std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// The same into `out`, which has room for each population.
/// @throws core::ShapeMismatch for room of another size
void read_populations(const Screen& screen, std::span<const std::size_t> populations,
                      std::span<const CellsSpan> out,
                      std::vector<std::vector<std::uint64_t>>* rows = nullptr);

/// Every cell of a file, whatever its obs say.
struct AllCells {
    std::vector<std::string> markers;
    linalg::Matrix<float> x;  ///< [n, d], transformed
};

/// @param options  `markers`, `exclude_markers` and `transform` are used
/// @throws DataError as read_populations(), for an unknown marker, and if there are no cells
AllCells read_all_cells(const std::string& file, const ScreenOptions& options);

}  // namespace popflow::screen
