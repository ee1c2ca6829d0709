// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

namespace popflow::linalg {

/// Eigenvalues of a symmetric matrix in increasing order, and orthonormal eigenvectors as columns.
struct SymmetricEigen {
    Eigen::VectorXd values;   ///< [n]
    Eigen::MatrixXd vectors;  ///< [n, n]
    bool converged = true;    ///< False for a matrix with a value that is not finite.
};

/// Returns the eigenvalues and eigenvectors of a symmetric matrix [n, n]. Reads its lower triangle.
/// The solver of Eigen takes 10 s to compile, so that all sources use this one instance.
SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix);

/// Returns the eigenvalues [n] of a symmetric matrix [n, n] in increasing order. Reads its lower triangle.
Eigen::VectorXd symmetric_eigenvalues(const Eigen::MatrixXd& matrix);

/// Returns the sum of the singular values of a square matrix [n, n]. Golub and Kahan, SIAM J. Numer. Anal. 2
/// (1965): the positive eigenvalues of a tridiagonal matrix [2n, 2n] with the bidiagonal form of the matrix
/// beside its diagonal.
double nuclear_norm(const Eigen::MatrixXd& matrix);

}  // namespace popflow::linalg
