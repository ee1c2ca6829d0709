// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace popflow::linalg {

/// Returns the inverse of a square matrix by an LU decomposition with full pivoting, nullopt for a singular
/// matrix.
///
/// Shapes:  m [n, n] row-major, result the same.
std::optional<std::vector<double>> inverse(std::span<const double> m, std::size_t n);

}  // namespace popflow::linalg
