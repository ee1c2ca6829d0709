// SPDX-License-Identifier: MIT
#include "screen/normalisation.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace popflow::screen {

namespace {

/// Computes the moments of a block in two passes. The block is in cache for the second pass.
Moments block_moments(linalg::ConstMatrixView<float> x) {
    Moments block{x.rows, std::vector<double>(x.cols, 0), std::vector<double>(x.cols, 0)};
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) block.mean[j] += x(i, j);
    }
    for (double& mean : block.mean) mean /= static_cast<double>(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) {
            const double deviation = x(i, j) - block.mean[j];
            block.m2[j] += deviation * deviation;
        }
    }
    return block;
}

}  // namespace

double Moments::standard_deviation(std::size_t j) const {
    return std::sqrt(m2.at(j) / static_cast<double>(n));
}

Moments moments(linalg::ConstMatrixView<float> x) {
    constexpr std::size_t block_rows = 1024;
    Moments all{0, std::vector<double>(x.cols, 0), std::vector<double>(x.cols, 0)};
    for (std::size_t first = 0; first < x.rows; first += block_rows) {
        all = combine(all, block_moments(x.row_block(first, std::min(block_rows, x.rows - first))));
    }
    return all;
}

Moments combine(const Moments& a, const Moments& b) {
    if (a.n == 0) return b;
    if (b.n == 0) return a;
    core::check_shape("moments", 1, b.mean.size(), 1, a.mean.size());
    Moments both{a.n + b.n, a.mean, a.m2};
    const auto n_a = static_cast<double>(a.n);
    const auto n_b = static_cast<double>(b.n);
    const double n = n_a + n_b;
    for (std::size_t j = 0; j < a.mean.size(); ++j) {
        const double delta = b.mean[j] - a.mean[j];
        both.mean[j] += delta * (n_b / n);
        both.m2[j] += b.m2[j] + delta * delta * (n_a * n_b / n);
    }
    return both;
}

Normalisation make_normalisation(const Moments& training) {
    if (training.n == 0 || training.mean.empty()) {
        throw core::NumericalError("normalisation",
                                   "found no training cells. Give training pairs with cells");
    }
    double sum = 0;
    for (std::size_t j = 0; j < training.m2.size(); ++j) sum += training.standard_deviation(j);
    Normalisation result;
    result.scale = static_cast<float>(sum / static_cast<double>(training.m2.size()));
    double largest = 0;
    for (const double mean : training.mean) largest = std::max(largest, std::abs(mean));
    // The computed mean of equal floats has a relative error of about 1e-16, which is not a spread. Distinct
    // floats differ by at least 1e-7 relative.
    if (!(result.scale > 1e-10 * largest) || !std::isfinite(result.scale)) {
        throw core::NumericalError(
            "normalisation",
            "every marker is constant over the training cells: at least one marker must vary");
    }
    for (const double mean : training.mean) result.mean.push_back(static_cast<float>(mean));
    return result;
}

Normalisation no_normalisation(std::size_t markers) {
    return {std::vector<float>(markers, 0), 1};
}

void Normalisation::apply(linalg::MatrixView<float> x) const {
    core::check_shape("normalisation", x.rows, x.cols, x.rows, mean.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = (x(i, j) - mean[j]) / scale;
    }
}

void Normalisation::invert(linalg::MatrixView<float> x) const {
    core::check_shape("normalisation", x.rows, x.cols, x.rows, mean.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = x(i, j) * scale + mean[j];
    }
}

}  // namespace popflow::screen
