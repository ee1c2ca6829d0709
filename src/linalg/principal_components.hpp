// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Coordinates of rows along the directions of largest variance.
struct PrincipalComponents {
    Matrix<double> scores;      ///< [n, count]; in each column the entry of largest magnitude is positive
    std::vector<double> share;  ///< explained variance ratio of each component; 0 if there is no variance
};

/// Computes the first `count` principal components of the rows of x: X - mean = U S V', scores U S.
///
/// Solves the symmetric eigenproblem of the smaller of the two Gram matrices (Eigen). If x has fewer rows or
/// columns than `count`, or no variance is left, the remaining components are zero.
///
/// Shapes:  x [n, d].
PrincipalComponents principal_components(ConstMatrixView<float> x, std::size_t count);

}  // namespace popflow::linalg
