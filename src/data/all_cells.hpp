// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "data/screen.hpp"

namespace popflow::data {

/// Every cell of a file, whatever its obs say.
struct AllCells {
    std::vector<std::string> markers;
    linalg::Matrix<float> x;  ///< [n, d], transformed
};

/// @param options  `markers`, `exclude_markers` and `transform` are used
/// @throws DataError as read_populations(), for an unknown marker, and if there are no cells
AllCells read_all_cells(const std::string& file, const ScreenOptions& options);

}  // namespace popflow::data
