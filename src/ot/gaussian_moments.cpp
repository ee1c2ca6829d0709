// SPDX-License-Identifier: MIT
#include "ot/gaussian_moments.hpp"

#include <cmath>

#include "core/error.hpp"
#include "linalg/eigen_tools.hpp"
#include "linalg/symmetric_eigen.hpp"

namespace popflow::ot {

namespace {

// Copies the lower triangle to the upper one.
void mirror(linalg::Matrix<double>& covariance) {
    for (std::size_t k = 0; k < covariance.rows(); ++k) {
        for (std::size_t l = 0; l < k; ++l) covariance(l, k) = covariance(k, l);
    }
}

}  // namespace

double trace(const linalg::Matrix<double>& x) {
    double sum = 0;
    for (std::size_t j = 0; j < x.rows(); ++j) sum += x(j, j);
    return sum;
}

linalg::Matrix<double> symmetric_root(linalg::ConstMatrixView<double> covariance) {
    const linalg::SerialEigen serial;
    const linalg::SymmetricEigen eigen = linalg::symmetric_eigen(linalg::eigen_map(covariance));
    const Eigen::VectorXd roots = eigen.values.cwiseMax(0).cwiseSqrt();
    linalg::Matrix<double> root(covariance.rows, covariance.cols);
    Eigen::Map<linalg::EigenRows>(root.data(), roots.size(), roots.size()) =
        eigen.vectors * roots.asDiagonal() * eigen.vectors.transpose();
    return root;
}

linalg::Matrix<double> cholesky_factor(linalg::ConstMatrixView<double> covariance) {
    const std::size_t d = covariance.rows;
    linalg::Matrix<double> factor(d, d);
    for (std::size_t k = 0; k < d; ++k) {
        double pivot = covariance(k, k);
        for (std::size_t l = 0; l < k; ++l) pivot -= factor(k, l) * factor(k, l);
        if (!(pivot > 0)) continue;
        factor(k, k) = std::sqrt(pivot);
        for (std::size_t j = k + 1; j < d; ++j) {
            double sum = covariance(j, k);
            for (std::size_t l = 0; l < k; ++l) sum -= factor(j, l) * factor(k, l);
            factor(j, k) = sum / factor(k, k);
        }
    }
    return factor;
}

linalg::Matrix<double> inverse_root(linalg::ConstMatrixView<double> covariance) {
    const linalg::SerialEigen serial;
    const linalg::SymmetricEigen eigen = linalg::symmetric_eigen(linalg::eigen_map(covariance));
    if (!(eigen.values.minCoeff() > 0))
        throw core::NumericalError("inverse_root", "the matrix is not positive definite");
    const Eigen::VectorXd inverse = eigen.values.cwiseSqrt().cwiseInverse();
    linalg::Matrix<double> root(covariance.rows, covariance.cols);
    Eigen::Map<linalg::EigenRows>(root.data(), inverse.size(), inverse.size()) =
        eigen.vectors * inverse.asDiagonal() * eigen.vectors.transpose();
    return root;
}

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
        for (std::size_t k = 0; k <= j; ++k) moments.covariance(j, k) *= share;
    }
    mirror(moments.covariance);
    moments.root = symmetric_root(moments.covariance);
    return moments;
}

GaussianMoments gaussian_moments(linalg::ConstMatrixView<double> points, std::span<const double> weights) {
    core::check_shape("ot.gaussian_moments.weights", weights.size(), 1, points.rows, 1);
    const std::size_t d = points.cols;
    GaussianMoments result{std::vector<double>(d, 0), linalg::Matrix<double>(d, d), {}};
    double squares = 0;
    for (std::size_t i = 0; i < points.rows; ++i) {
        for (std::size_t k = 0; k < d; ++k) result.mean[k] += weights[i] * points(i, k);
        squares += weights[i] * weights[i];
    }
    const double scale = squares < 1 ? 1 / (1 - squares) : 1;
    std::vector<double> centred(d);
    for (std::size_t i = 0; i < points.rows; ++i) {
        for (std::size_t k = 0; k < d; ++k) centred[k] = points(i, k) - result.mean[k];
        for (std::size_t k = 0; k < d; ++k) {
            const double weighted = scale * weights[i] * centred[k];
            for (std::size_t l = 0; l <= k; ++l) result.covariance(k, l) += weighted * centred[l];
        }
    }
    mirror(result.covariance);
    return result;
}

}  // namespace popflow::ot
