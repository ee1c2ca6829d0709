// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Mean and covariance of a population, and the symmetric square root of the covariance.
struct GaussianMoments {
    std::vector<double> mean;           ///< [d]
    linalg::Matrix<double> covariance;  ///< [d, d], symmetric, positive semidefinite
    linalg::Matrix<double> root;        ///< [d, d], symmetric, root * root = covariance
};

/// Returns the moments of the cells, with the divisor n.
///
/// Shape: x [n, d].
/// @throws core::ShapeMismatch if there is no cell
/// @throws core::NumericalError if a value is not finite
GaussianMoments gaussian_moments(linalg::ConstMatrixView<float> x);

/// Returns the squared 2-Wasserstein distance between the Gaussians with these moments:
/// |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2). The trace of the last term is the sum of the singular
/// values of A^1/2 B^1/2.
///
/// It is a lower bound on the squared W2 between any two populations with these moments.
///
/// Source:  Gelbrich, "On a formula for the L2 Wasserstein metric between measures on Euclidean and Hilbert
///          spaces", Math. Nachr. 147, 1990.
/// @throws core::ShapeMismatch if the moments differ in their number of markers
double squared_bures_distance(const GaussianMoments& a, const GaussianMoments& b);

}  // namespace popflow::ot
