// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::ot {

/// Returns the dual potential of transport between two Gaussians for the squared distance, at the points of
/// one side.
///
/// With the mean m and the covariance S of this side, m' and S' of the other, and
/// A = S^(-1/2) (S^(1/2) S' S^(1/2))^(1/2) S^(-1/2): f(x) = ||x||^2 - (x - m)^T A (x - m) - 2 <x, m'>, minus
/// its weighted mean. Directions in which this side has no spread use a variance of 1e-12. A start for
/// solve_entropic().
///
/// Shapes:  points [n, d], weights [n] with sum 1, `here` with their moments. The result [n].
/// Units:   squared units of the points.
/// Source:  Thornton and Cuturi, "Rethinking initialization of the Sinkhorn algorithm", AISTATS 2023.
/// @throws core::ShapeMismatch
std::vector<double> gaussian_potential(linalg::ConstMatrixView<double> points,
                                       std::span<const double> weights, const GaussianMoments& here,
                                       const GaussianMoments& there);

}  // namespace popflow::ot
