// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "nn/convex_potential.hpp"

namespace popflow::nn {

/// Conjugate D*(y) = max_x <x, y> - D(x) of a potential at some points.
struct ConjugateValues {
    std::vector<double> values;      ///< [n] <x, y> - D(x) at the returned x, which is at most D*(y)
    linalg::Matrix<double> points;   ///< [n, d] x
    double max_gap = 0;              ///< upper bound of D(x) + D*(y) - <x, y> over all points
    std::size_t max_iterations = 0;  ///< largest number of Newton steps of a point
};

/// Computes the conjugate by damped Newton steps from y, with a certificate.
///
/// D(x) - |L x|^2 is convex. Hence D is strongly convex, and its modulus mu is at least the smallest
/// eigenvalue of 2 L^T L. The code uses the lower bound 1 / |(2 L^T L)^-1| of that eigenvalue, with the
/// Frobenius norm. The Fenchel gap at x is at most |grad D(x) - y|^2 / (2 mu). Steps end at a gap of
/// `tolerance`, or when rounding stops the progress. The bound is infinite for a singular L. Uses all
/// threads. Deterministic for any number of threads.
///
/// Shape: y [n, d].
/// @throws core::ShapeMismatch
ConjugateValues convex_conjugate(const ConvexPotential<double>& potential, linalg::ConstMatrixView<double> y,
                                 double tolerance);

}  // namespace popflow::nn
