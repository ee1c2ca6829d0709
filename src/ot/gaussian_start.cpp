// SPDX-License-Identifier: MIT
#include "ot/gaussian_start.hpp"

#include <Eigen/Core>
#include <algorithm>

#include "core/error.hpp"
#include "linalg/symmetric_eigen.hpp"

namespace popflow::ot {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double min_variance = 1e-12;

Eigen::Map<const VectorXd> as_vector(std::span<const double> values) {
    return {values.data(), static_cast<Eigen::Index>(values.size())};
}

MatrixXd as_matrix(const linalg::Matrix<double>& symmetric) {
    const auto d = static_cast<Eigen::Index>(symmetric.rows());
    return Eigen::Map<const MatrixXd>(symmetric.values().data(), d, d);
}

// Returns s^power of a symmetric matrix whose eigenvalues are raised to min_variance.
MatrixXd power(const MatrixXd& s, double exponent) {
    const linalg::SymmetricEigen eigen = linalg::symmetric_eigen(s);
    const VectorXd values = eigen.values.cwiseMax(min_variance).array().pow(exponent);
    return eigen.vectors * values.asDiagonal() * eigen.vectors.transpose();
}

}  // namespace

std::vector<double> gaussian_potential(linalg::ConstMatrixView<double> points,
                                       std::span<const double> weights, const GaussianMoments& here,
                                       const GaussianMoments& there) {
    core::check_shape("ot.gaussian_potential.here", here.mean.size(), 1, points.cols, 1);
    core::check_shape("ot.gaussian_potential.there", there.mean.size(), 1, points.cols, 1);
    core::check_shape("ot.gaussian_potential.weights", weights.size(), 1, points.rows, 1);
    const MatrixXd covariance = as_matrix(here.covariance);
    const MatrixXd root = power(covariance, 0.5);
    const MatrixXd inverse = power(covariance, -0.5);
    const MatrixXd map = inverse * power(root * as_matrix(there.covariance) * root, 0.5) * inverse;
    const VectorXd mean = as_vector(here.mean);
    const VectorXd other_mean = as_vector(there.mean);
    std::vector<double> f(points.rows);
    VectorXd centred(mean.size());
    double sum = 0;
    for (std::size_t i = 0; i < points.rows; ++i) {
        const auto x = as_vector(points.row_span(i));
        centred = x - mean;
        f[i] = x.squaredNorm() - centred.dot(map * centred) - 2 * x.dot(other_mean);
        sum += weights[i] * f[i];
    }
    for (double& value : f) value -= sum;
    return f;
}

}  // namespace popflow::ot
