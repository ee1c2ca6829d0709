// SPDX-License-Identifier: MIT
#include "ot/exact/point_clusters.hpp"

#include <algorithm>
#include <numeric>

#include "core/ordered_bits.hpp"
#include "core/simd.hpp"

namespace popflow::ot {

namespace {

POPFLOW_SIMD void add_divided(const float* x, double divisor, std::size_t markers, double* sums) {
    for (std::size_t k = 0; k < markers; ++k) sums[k] += static_cast<double>(x[k]) / divisor;
}

// Adds the squared differences between x and the mean.
POPFLOW_SIMD void add_squares(const float* x, const double* mean, std::size_t markers, double* sums) {
    for (std::size_t k = 0; k < markers; ++k) {
        const double difference = static_cast<double>(x[k]) - mean[k];
        sums[k] += difference * difference;
    }
}

}  // namespace

PointClusters::PointClusters(linalg::ConstMatrixView<float> x, std::size_t finest) : x_(x), order_(x.rows) {
    std::iota(order_.begin(), order_.end(), 0U);
    halve(0, 1, finest);
}

void PointClusters::halve(std::size_t cluster, std::size_t count, std::size_t finest) {
    if (count >= finest) return;
    const std::size_t first = begin(cluster, count);
    const std::size_t middle = begin(2 * cluster + 1, 2 * count);
    const std::size_t last = begin(cluster + 1, count);
    const std::size_t k = widest_marker(first, last);
    std::vector<std::uint64_t> keys(last - first);
    for (std::size_t i = first; i < last; ++i)
        keys[i - first] = core::ordered_key(x_(order_[i], k), order_[i]);
    std::ranges::nth_element(keys, keys.begin() + static_cast<std::ptrdiff_t>(middle - first));
    for (std::size_t i = first; i < last; ++i) order_[i] = static_cast<std::uint32_t>(keys[i - first]);
    halve(2 * cluster, 2 * count, finest);
    halve(2 * cluster + 1, 2 * count, finest);
}

std::size_t PointClusters::widest_marker(std::size_t first, std::size_t last) const {
    const auto points = static_cast<double>(last - first);
    std::vector<double> mean(x_.cols);
    std::vector<double> squares(x_.cols);
    for (std::size_t i = first; i < last; ++i) add_divided(x_.row(order_[i]), points, x_.cols, mean.data());
    for (std::size_t i = first; i < last; ++i)
        add_squares(x_.row(order_[i]), mean.data(), x_.cols, squares.data());
    return static_cast<std::size_t>(std::max_element(squares.begin(), squares.end()) - squares.begin());
}

linalg::Matrix<float> PointClusters::centres(std::size_t count) const {
    linalg::Matrix<float> centres(count, x_.cols);
    std::vector<double> mean(x_.cols);
    for (std::size_t c = 0; c < count; ++c) {
        const auto points = static_cast<double>(begin(c + 1, count) - begin(c, count));
        std::fill(mean.begin(), mean.end(), 0.0);
        for (std::size_t i = begin(c, count); i < begin(c + 1, count); ++i)
            add_divided(x_.row(order_[i]), points, x_.cols, mean.data());
        for (std::size_t k = 0; k < x_.cols; ++k) centres(c, k) = static_cast<float>(mean[k]);
    }
    return centres;
}

std::vector<double> PointClusters::weights(std::size_t count, std::span<const double> point_weights) const {
    std::vector<double> weights(count);
    for (std::size_t c = 0; c < count; ++c) {
        for (std::size_t i = begin(c, count); i < begin(c + 1, count); ++i) {
            weights[c] += point_weights.empty() ? 1.0 : point_weights[order_[i]];
        }
    }
    return weights;
}

}  // namespace popflow::ot
