// SPDX-License-Identifier: MIT
#include "linalg/symmetric_eigen.hpp"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <cmath>
#include <limits>
#include <random>

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using popflow::linalg::nuclear_norm;
using popflow::linalg::symmetric_eigen;
using popflow::linalg::symmetric_eigenvalues;

MatrixXd random_orthogonal(Index n, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    MatrixXd x(n, n);
    for (double& value : x.reshaped()) value = normal(generator);
    return MatrixXd(Eigen::HouseholderQR<MatrixXd>(x).householderQ());
}

TEST(SymmetricEigen, FindsTheValuesAndVectorsOfAMatrixMadeOfThem) {
    const VectorXd values = VectorXd::LinSpaced(43, -3, 5);
    const MatrixXd vectors = random_orthogonal(43, 1);
    const MatrixXd matrix = vectors * values.asDiagonal() * vectors.transpose();
    const auto eigen = symmetric_eigen(matrix);
    EXPECT_TRUE(eigen.converged);
    EXPECT_LT((eigen.values - values).cwiseAbs().maxCoeff(), 1e-13);
    EXPECT_GT((eigen.vectors.transpose() * vectors).diagonal().cwiseAbs().minCoeff(), 1 - 1e-12);
    EXPECT_LT((matrix * eigen.vectors - eigen.vectors * eigen.values.asDiagonal()).norm(), 1e-12);
    EXPECT_LT((symmetric_eigenvalues(matrix) - values).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(SymmetricEigen, SaysThatAMatrixWithANanDidNotConverge) {
    MatrixXd matrix = MatrixXd::Identity(3, 3);
    matrix(1, 0) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(symmetric_eigen(matrix).converged);
}

TEST(NuclearNorm, IsTheSumOfTheSingularValues) {
    for (const Index n : {Index{1}, Index{2}, Index{3}, Index{16}, Index{17}, Index{43}, Index{150}}) {
        VectorXd values(n);  // over 12 orders of magnitude
        for (Index i = 0; i < n; ++i)
            values(i) = std::pow(10.0, -12.0 * static_cast<double>(i) / static_cast<double>(n));
        const MatrixXd matrix = random_orthogonal(n, 2) * values.asDiagonal() * random_orthogonal(n, 3);
        EXPECT_NEAR(nuclear_norm(matrix), values.sum(), 1e-13 * values.sum()) << n;
    }
}

TEST(NuclearNorm, OfSingularMatrices) {
    EXPECT_EQ(nuclear_norm(MatrixXd(0, 0)), 0);
    EXPECT_EQ(nuclear_norm(MatrixXd::Zero(5, 5)), 0);
    const VectorXd u = VectorXd::LinSpaced(20, 1, 2);
    EXPECT_NEAR(nuclear_norm(u * u.transpose()), u.squaredNorm(), 1e-12);
}

}  // namespace
