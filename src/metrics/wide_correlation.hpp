// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Number of markers above which correlation_r2() uses wide_correlation_r2().
inline constexpr std::size_t max_stored_correlations = 2048;

/// Returns correlation_r2() for many markers, without a correlation matrix in memory.
///
/// With standardised cells Z (centred columns of norm 1) the correlations are R = Z^T Z. The result needs
/// five sums over their upper triangles, of R_x, R_y, R_x^2, R_y^2 and R_x R_y. Two ways give them exactly:
///
///  * Cells: sum R_x R_y = || Z_x Z_y^T ||^2 over all elements of both matrices, and sum R_x = || Z_x 1 ||^2.
///  The
///    products are [n, n], [m, m] and [n, m]. Cost: d (n + m)^2.
///  * Markers: the correlations themselves, a tile at a time. Cost: d^2 (n + m).
///
/// Takes the cheaper one. Products are fp32 within blocks of at most 1024 terms. Blocks, squares and sums are
/// double. Tests find errors below 2e-6. Memory: some megabytes per thread. Deterministic on any
/// number of threads.
///
/// Shapes:  x [n, d], y [m, d].
/// @param markers  columns that are constant in neither population, at least 3
/// @return NaN if a triangle is constant up to rounding: its variance is below 1e-6 of its mean square
double wide_correlation_r2(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                           std::span<const std::size_t> markers);

}  // namespace popflow::metrics
