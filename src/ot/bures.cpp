// SPDX-License-Identifier: MIT
#include "ot/bures.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "linalg/eigen_tools.hpp"

namespace popflow::ot {

namespace {

// Eigenvalues that rounding has made negative count as 0.
linalg::Matrix<double> symmetric_root(const linalg::Matrix<double>& covariance) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(linalg::eigen_map(covariance));
    const Eigen::VectorXd roots = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
    linalg::Matrix<double> root(covariance.rows(), covariance.cols());
    Eigen::Map<linalg::EigenRows>(root.data(), roots.size(), roots.size()) =
        solver.eigenvectors() * roots.asDiagonal() * solver.eigenvectors().transpose();
    return root;
}

}  // namespace

GaussianMoments gaussian_moments(linalg::ConstMatrixView<float> x) {
    if (x.rows == 0) throw core::ShapeMismatch("gaussian_moments.x", "[at least 1, d]", 0, x.cols);
    const std::size_t d = x.cols;
    GaussianMoments moments{std::vector<double>(d, 0.0), linalg::Matrix<double>(d, d), {}};
    const double share = 1 / static_cast<double>(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
            if (!std::isfinite(x(i, j)))
                throw core::NumericalError("gaussian_moments.x", "a value is not finite");
            moments.mean[j] += static_cast<double>(x(i, j));
        }
    }
    for (double& m : moments.mean) m *= share;
    std::vector<double> centred(d);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < d; ++j) centred[j] = static_cast<double>(x(i, j)) - moments.mean[j];
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k <= j; ++k) moments.covariance(j, k) += centred[j] * centred[k];
        }
    }
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t k = 0; k <= j; ++k) {
            moments.covariance(j, k) *= share;
            moments.covariance(k, j) = moments.covariance(j, k);
        }
    }
    moments.root = symmetric_root(moments.covariance);
    return moments;
}

double squared_bures_distance(const GaussianMoments& a, const GaussianMoments& b) {
    const std::size_t d = a.mean.size();
    core::check_shape("squared_bures_distance.b", 1, b.mean.size(), 1, d);
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
        const double difference = a.mean[j] - b.mean[j];
        sum += difference * difference + a.covariance(j, j) + b.covariance(j, j);
    }
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(linalg::eigen_map(a.root) * linalg::eigen_map(b.root));
    return std::max(0.0, sum - 2 * svd.singularValues().sum());
}

}  // namespace popflow::ot
