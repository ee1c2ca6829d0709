// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "linalg/matrix.hpp"

namespace popflow::problems {

/// Reads costs between atoms: the dataset `cost` of an HDF5 file, or a table of numbers without column names,
/// separated by commas, tabs, semicolons or blanks.
///
/// Shapes:  [n, m], a row for each atom of the source.
/// @throws core::DataError if the file cannot be read, has another shape, or holds anything but finite
/// numbers
linalg::Matrix<double> read_costs(const std::string& path, std::size_t n, std::size_t m);

}  // namespace popflow::problems
