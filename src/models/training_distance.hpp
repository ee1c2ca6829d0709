// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// Returns the Euclidean distance between a query and the nearest row.
///
/// Shapes: features [n, p] with n >= 1, query [p].
double nearest_distance(linalg::ConstMatrixView<float> features, std::span<const float> query);

/// Returns the median over the rows of the Euclidean distance to the nearest row of another unit, 0 if all
/// rows have the same unit.
///
/// Shapes: features [n, p], units [n].
double typical_distance(linalg::ConstMatrixView<float> features, std::span<const std::size_t> units);

}  // namespace popflow::models
