// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// The k nearest neighbours of every cell among the others, by Euclidean distance.
///
/// Distances are sums of squared differences in the precision of x; equal distances are ordered by index. A
/// cell is not its own neighbour. With k = 0 the result is empty.
///
/// Shapes:  x [n, d]; result [n * k], the neighbours of cell i at [i k, (i + 1) k), in ascending order of
/// index.
/// @throws ShapeMismatch unless k < n
std::vector<std::uint32_t> nearest_neighbours(ConstMatrixView<float> x, std::size_t k);
std::vector<std::uint32_t> nearest_neighbours(ConstMatrixView<double> x, std::size_t k);

}  // namespace popflow::linalg
