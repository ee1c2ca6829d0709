// SPDX-License-Identifier: MIT
#include "linalg/symmetric_eigen.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

namespace popflow::linalg {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

SymmetricEigen symmetric_eigen(const MatrixXd& matrix) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix);
    return {solver.eigenvalues(), solver.eigenvectors(), solver.info() == Eigen::Success};
}

VectorXd symmetric_eigenvalues(const MatrixXd& matrix) {
    return Eigen::SelfAdjointEigenSolver<MatrixXd>(matrix, Eigen::EigenvaluesOnly).eigenvalues();
}

// Eigen::BDCSVD takes twice as long for 43 x 43, and 45 s to compile.
double nuclear_norm(const MatrixXd& matrix) {
    const Index n = matrix.rows();
    if (n == 0) return 0;
    Eigen::internal::UpperBidiagonalization<MatrixXd> bidiagonalisation(matrix);
    auto form = bidiagonalisation.bidiagonal();
    VectorXd beside(2 * n - 1);  // d0 u0 d1 u1 ...
    for (Index i = 0; i < n; ++i) beside(2 * i) = form.diagonal<0>()(i);
    for (Index i = 0; i + 1 < n; ++i) beside(2 * i + 1) = form.diagonal<1>()(i);
    Eigen::SelfAdjointEigenSolver<MatrixXd> solver;
    solver.computeFromTridiagonal(VectorXd::Zero(2 * n), beside, Eigen::EigenvaluesOnly);
    return solver.eigenvalues().tail(n).sum();
}

}  // namespace popflow::linalg
