// SPDX-License-Identifier: MIT
#include "ot/balanced_coordinates.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "ot/bures.hpp"

namespace popflow::ot {

using linalg::ConstMatrixView;
using linalg::Matrix;

namespace {

// Share of the mean variance that is added to each variance.
constexpr double ridge_share = 1e-6;

GaussianMoments with_ridge(const GaussianMoments& moments, double ridge) {
    GaussianMoments result{moments.mean, moments.covariance, {}};
    for (std::size_t k = 0; k < result.covariance.rows(); ++k) result.covariance(k, k) += ridge;
    result.root = symmetric_root(result.covariance);
    return result;
}

Matrix<double> product(const Matrix<double>& a, const Matrix<double>& b) {
    Matrix<double> result(a.rows(), b.cols());
    for (std::size_t i = 0; i < a.rows(); ++i) {
        for (std::size_t k = 0; k < a.cols(); ++k) {
            for (std::size_t j = 0; j < b.cols(); ++j) result(i, j) += a(i, k) * b(k, j);
        }
    }
    return result;
}

Matrix<float> in_float(const Matrix<double>& x) {
    Matrix<float> result(x.rows(), x.cols());
    std::ranges::transform(x.values(), result.values().begin(),
                           [](double v) { return static_cast<float>(v); });
    return result;
}

}  // namespace

BalancedCoordinates::BalancedCoordinates(const GaussianMoments& source, const GaussianMoments& target)
    : source_mean(source.mean), target_mean(target.mean) {
    const auto d = static_cast<double>(source.mean.size());
    const double ridge = ridge_share * (trace(source.covariance) + trace(target.covariance)) / (2 * d);
    if (!(ridge > 0))
        throw core::NumericalError("balanced coordinates", "no marker of the two populations varies");
    const GaussianMoments a = with_ridge(source, ridge);
    const Matrix<double> map = gaussian_map(a, with_ridge(target, ridge));
    root = symmetric_root(map.view());
    inverse = inverse_root(map.view());
    covariance = product(product(root, a.covariance), root);
}

BalancedCoordinates BalancedCoordinates::original(std::size_t d) {
    return shifted(std::vector<double>(d), std::vector<double>(d));
}

BalancedCoordinates BalancedCoordinates::shifted(const std::vector<double>& source_mean,
                                                 const std::vector<double>& target_mean) {
    const std::size_t d = source_mean.size();
    BalancedCoordinates result;
    result.source_mean = source_mean;
    result.target_mean = target_mean;
    result.root = Matrix<double>(d, d);
    for (std::size_t k = 0; k < d; ++k) result.root(k, k) = 1;
    result.inverse = result.root;
    result.covariance = Matrix<double>(d, d);
    return result;
}

Matrix<float> BalancedCoordinates::of_source(ConstMatrixView<float> x) const {
    return in_float(affine_rows(x, source_mean, root, {}));
}

Matrix<float> BalancedCoordinates::of_target(ConstMatrixView<float> y) const {
    return in_float(affine_rows(y, target_mean, inverse, {}));
}

Matrix<float> BalancedCoordinates::to_target(ConstMatrixView<float> v) const {
    return in_float(affine_rows(v, {}, root, target_mean));
}

Matrix<double> affine_rows(ConstMatrixView<float> x, const std::vector<double>& shift,
                           const Matrix<double>& matrix, const std::vector<double>& mean) {
    const std::size_t d = matrix.rows();
    core::check_shape("affine_rows", x.rows, x.cols, x.rows, d);
    Matrix<double> result(x.rows, d);
    for (std::size_t i = 0; i < x.rows; ++i) {
        double* out = result.view().row(i);
        if (!mean.empty()) std::ranges::copy(mean, out);
        for (std::size_t k = 0; k < d; ++k) {
            const double value = static_cast<double>(x(i, k)) - (shift.empty() ? 0 : shift[k]);
            for (std::size_t j = 0; j < d; ++j) out[j] += value * matrix(k, j);
        }
    }
    return result;
}

}  // namespace popflow::ot
