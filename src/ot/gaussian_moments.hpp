// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Mean and covariance of a population or of weighted points.
struct GaussianMoments {
    std::vector<double> mean;           ///< [d]
    linalg::Matrix<double> covariance;  ///< [d, d], symmetric, positive semidefinite
    /// [d, d] symmetric square root of the covariance, root * root = covariance. Empty if it was not
    /// computed.
    linalg::Matrix<double> root{};
};

/// Returns the moments of the cells, with the divisor n, and the root of the covariance.
///
/// Shape: x [n, d].
/// @throws core::ShapeMismatch if there is no cell
/// @throws core::NumericalError if a value is not finite
GaussianMoments gaussian_moments(linalg::ConstMatrixView<float> x);

/// Returns the moments of points [n, d] with weights w [n] of sum 1, without the root. The covariance is
/// sum_i w_i (x_i - m)(x_i - m)^T / (1 - sum_i w_i^2).
/// @throws core::ShapeMismatch
GaussianMoments gaussian_moments(linalg::ConstMatrixView<double> points, std::span<const double> weights);

/// Returns the sum of the diagonal of a square matrix, the total variance of a covariance.
double trace(const linalg::Matrix<double>& x);

/// Returns the symmetric square root of a symmetric matrix. Eigenvalues that rounding has made negative count
/// as 0.
linalg::Matrix<double> symmetric_root(linalg::ConstMatrixView<double> covariance);

/// Returns the lower triangular factor L of a symmetric positive semidefinite matrix, L L^T. A column whose
/// pivot is not positive is zero.
linalg::Matrix<double> cholesky_factor(linalg::ConstMatrixView<double> covariance);

/// Returns the inverse of the symmetric square root of a symmetric positive definite matrix.
/// @throws core::NumericalError if an eigenvalue is not positive
linalg::Matrix<double> inverse_root(linalg::ConstMatrixView<double> covariance);

}  // namespace popflow::ot
