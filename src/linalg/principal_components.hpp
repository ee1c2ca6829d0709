// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Coordinates of rows along the directions of largest variance.
struct PrincipalComponents {
    Matrix<double> scores;      ///< [n, count]; the entry of largest size of each column is positive
    std::vector<double> share;  ///< of the total variance, per component; 0 if there is no variance
};

/// The first `count` principal components of the rows of x [n, d]: X - mean = U S V', scores U S.
///
/// Orthogonal iteration on the smaller of the two Gram matrices, from a fixed start: for plots, to about 1e-6
/// of the largest score where variances are not all but equal. Fewer rows or columns than `count` leave the
/// rest zero.
PrincipalComponents principal_components(ConstMatrixView<float> x, std::size_t count);

}  // namespace popflow::linalg
