// SPDX-License-Identifier: MIT
#include "ot/gaussian_start.hpp"

#include <Eigen/Dense>

#include <algorithm>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double min_variance = 1e-12;

struct Moments {
    VectorXd mean;
    MatrixXd covariance;
};

Eigen::Map<const VectorXd> point(linalg::ConstMatrixView<double> points, std::size_t i) {
    return {points.row(i), static_cast<Eigen::Index>(points.cols)};
}

Moments moments(linalg::ConstMatrixView<double> points, std::span<const double> weights) {
    const auto d = static_cast<Eigen::Index>(points.cols);
    Moments result{VectorXd::Zero(d), MatrixXd::Zero(d, d)};
    double squares = 0;
    for (std::size_t i = 0; i < points.rows; ++i) {
        result.mean += weights[i] * point(points, i);
        squares += weights[i] * weights[i];
    }
    for (std::size_t i = 0; i < points.rows; ++i) {
        const VectorXd x = point(points, i) - result.mean;
        result.covariance.noalias() += weights[i] * x * x.transpose();
    }
    if (squares < 1) result.covariance /= 1 - squares;
    return result;
}

// Returns s^power of a symmetric matrix whose eigenvalues are raised to min_variance.
MatrixXd power(const MatrixXd& s, double exponent) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(s);
    const VectorXd values = solver.eigenvalues().cwiseMax(min_variance).array().pow(exponent);
    return solver.eigenvectors() * values.asDiagonal() * solver.eigenvectors().transpose();
}

}  // namespace

std::vector<double> gaussian_potential(linalg::ConstMatrixView<double> points,
                                       std::span<const double> weights,
                                       linalg::ConstMatrixView<double> other_points,
                                       std::span<const double> other_weights) {
    core::check_shape("ot.gaussian_potential.other_points", other_points.rows, other_points.cols,
                      other_weights.size(), points.cols);
    core::check_shape("ot.gaussian_potential.weights", weights.size(), 1, points.rows, 1);
    const Moments here = moments(points, weights);
    const Moments there = moments(other_points, other_weights);
    const MatrixXd root = power(here.covariance, 0.5);
    const MatrixXd inverse = power(here.covariance, -0.5);
    const MatrixXd map = inverse * power(root * there.covariance * root, 0.5) * inverse;
    std::vector<double> f(points.rows);
    double mean = 0;
    for (std::size_t i = 0; i < points.rows; ++i) {
        const auto x = point(points, i);
        const VectorXd centred = x - here.mean;
        f[i] = x.squaredNorm() - centred.dot(map * centred) - 2 * x.dot(there.mean);
        mean += weights[i] * f[i];
    }
    for (double& value : f) value -= mean;
    return f;
}

}  // namespace popflow::ot
