// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Returns the dual potential of transport between two Gaussians for the squared distance, at the points of
/// one side.
///
/// The Gaussians have the means and covariances of the weighted points. With m and S of this side, m' and S'
/// of the other, and A = S^(-1/2) (S^(1/2) S' S^(1/2))^(1/2) S^(-1/2): f(x) = ||x||^2 - (x - m)^T A (x - m) -
/// 2 <x, m'>, minus its weighted mean. Directions in which this side has no spread use a variance of 1e-12. A
/// start for solve_entropic().
///
/// Shapes:  points [n, d], weights [n] with sum 1, likewise other_points [m, d] and other_weights [m]. The
/// result [n]. Units:   squared units of the points. Source:  Thornton and Cuturi, "Rethinking initialization
/// of the Sinkhorn algorithm", AISTATS 2023. The weighted
///          covariance is sum_i w_i (x_i - m)(x_i - m)^T / (1 - sum_i w_i^2).
std::vector<double> gaussian_potential(linalg::ConstMatrixView<double> points,
                                       std::span<const double> weights,
                                       linalg::ConstMatrixView<double> other_points,
                                       std::span<const double> other_weights);

}  // namespace popflow::ot
