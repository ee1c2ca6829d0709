// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/matrix.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::ot {

/// Coordinates of two populations in which both have mean zero and the same covariance.
///
/// With the matrix G of gaussian_map() and R = G^1/2: u = R (x - m_x) for the source and v = R^-1 (y - m_y)
/// for the target. Then <x - m_x, y - m_y> = <u, v>, so that transport of u to v is the same problem as that
/// of x to y, and its Gaussian map is the identity. A convex potential psi of u is the convex potential
/// psi(R (x - m_x)) + <m_y, x> of x, with the map x -> m_y + R grad psi(R (x - m_x)).
///
/// A share of 1e-6 of the mean variance of both populations is added to all variances, so that R is regular.
struct BalancedCoordinates {
    /// @throws core::NumericalError if no marker of any population varies
    BalancedCoordinates(const GaussianMoments& source, const GaussianMoments& target);

    /// Returns the coordinates of the cells as they are: means zero, R = 1, and a covariance of zeros.
    static BalancedCoordinates original(std::size_t d);
    /// Returns coordinates that only subtract the means: R = 1, and a covariance of zeros.
    static BalancedCoordinates shifted(const std::vector<double>& source_mean,
                                       const std::vector<double>& target_mean);

    std::vector<double> source_mean;    ///< [d] m_x
    std::vector<double> target_mean;    ///< [d] m_y
    linalg::Matrix<double> root;        ///< [d, d] R, symmetric
    linalg::Matrix<double> inverse;     ///< [d, d] R^-1
    linalg::Matrix<double> covariance;  ///< [d, d] covariance of u and of v

    /// Returns u of the source cells [n, d].
    linalg::Matrix<float> of_source(linalg::ConstMatrixView<float> x) const;
    /// Returns v of the target cells [n, d].
    linalg::Matrix<float> of_target(linalg::ConstMatrixView<float> y) const;
    /// Returns the cells y of the target with the coordinates v [n, d] if v is the image of a map of u: y =
    /// m_y + R v.
    linalg::Matrix<float> to_target(linalg::ConstMatrixView<float> v) const;

  private:
    BalancedCoordinates() = default;
};

/// Returns mean + (x - shift) matrix for each row, in double.
///
/// Shapes: x [n, d], shift and mean [d] or empty for zeros, matrix [d, d] symmetric.
linalg::Matrix<double> affine_rows(linalg::ConstMatrixView<float> x, const std::vector<double>& shift,
                                   const linalg::Matrix<double>& matrix, const std::vector<double>& mean);

}  // namespace popflow::ot
