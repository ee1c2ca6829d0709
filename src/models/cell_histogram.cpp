// SPDX-License-Identifier: MIT
#include "models/cell_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;

std::size_t histogram_size(std::size_t bins, std::size_t markers) {
    std::size_t size = 1;
    for (std::size_t k = 0; k < markers; ++k) {
        size *= bins;
        if (size > max_histogram_bins) return max_histogram_bins + 1;
    }
    return size;
}

template <class Real>
Matrix<double> histogram_coordinates(std::span<const Real> triangle, std::size_t d) {
    core::check_shape("histogram.triangle", triangle.size(), 1, d * (d + 1) / 2, 1);
    Matrix<double> covariance(d, d);
    std::size_t at = 0;
    for (std::size_t k = 0; k < d; ++k) {
        for (std::size_t l = 0; l <= k; ++l)
            covariance(k, l) = covariance(l, k) = static_cast<double>(triangle[at++]);
    }
    const double ridge = histogram_ridge * ot::trace(covariance) / static_cast<double>(d);
    for (std::size_t k = 0; k < d; ++k) covariance(k, k) += ridge;
    return ot::inverse_root(covariance.view());
}

template <class Real>
void histogram_features(ConstMatrixView<Real> cells, const Matrix<double>& transform, std::size_t bins,
                        std::span<Real> features) {
    const std::size_t d = transform.rows();
    core::check_shape("histogram.cells", cells.rows, cells.cols, std::max<std::size_t>(cells.rows, 1), d);
    core::check_shape("histogram.features", features.size(), 1, histogram_size(bins, d), 1);
    const double width = 2 * histogram_range / static_cast<double>(bins);
    std::vector<std::uint64_t> counts(features.size());
    for (std::size_t i = 0; i < cells.rows; ++i) {
        std::size_t bin = 0;
        for (std::size_t k = 0; k < d; ++k) {
            double coordinate = 0;
            for (std::size_t l = 0; l < d; ++l)
                coordinate += transform(k, l) * static_cast<double>(cells(i, l));
            if (!std::isfinite(coordinate))
                throw core::NumericalError("histogram.cells", "a coordinate is not finite");
            const double position = std::floor((coordinate + histogram_range) / width);
            bin = bin * bins +
                  static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(bins - 1)));
        }
        ++counts[bin];
    }
    const double scale = static_cast<double>(features.size()) / static_cast<double>(cells.rows);
    std::ranges::transform(counts, features.begin(), [scale](std::uint64_t n) {
        return static_cast<Real>(std::sqrt(scale * static_cast<double>(n)));
    });
}

#define POPFLOW_INSTANTIATE(Real)                                                               \
    template Matrix<double> histogram_coordinates(std::span<const Real>, std::size_t);          \
    template void histogram_features(ConstMatrixView<Real>, const Matrix<double>&, std::size_t, \
                                     std::span<Real>);
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::models
