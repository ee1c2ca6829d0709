// SPDX-License-Identifier: MIT
#include "metrics/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/simd.hpp"
#include "metrics/mean_change.hpp"
#include "metrics/wide_correlation.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

// Flags the markers that have the same value in every row.
std::vector<bool> constant_markers(ConstMatrixView<float> x) {
    std::vector<bool> constant(x.cols, true);
    for (std::size_t i = 1; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) {
            if (x(i, j) != x(0, j)) constant[j] = false;
        }
    }
    return constant;
}

// Number of rows that are centred at a time.
constexpr std::size_t block_rows = 64;
// Rows of products are padded to a multiple of this number of markers, one SIMD register of doubles.
constexpr std::size_t lanes = 8;

// Adds sum_i v[i, j] v[i, l] to sums[j, l] for every l from the start of the register that holds j.
// Processes four rows of v at a time. Rows of v and of sums are `stride` elements apart.
POPFLOW_SIMD void add_products(const double* v, std::size_t rows, std::size_t d, std::size_t stride,
                               double* sums) {
    for (std::size_t i = 0; i < rows; i += 4) {
        const double* v0 = v + i * stride;
        const double* v1 = v0 + stride;
        const double* v2 = v1 + stride;
        const double* v3 = v2 + stride;
        for (std::size_t j = 0; j < d; ++j) {
            const double a0 = v0[j];
            const double a1 = v1[j];
            const double a2 = v2[j];
            const double a3 = v3[j];
            double* to = sums + j * stride;
            for (std::size_t l = j / lanes * lanes; l < stride; ++l)
                to[l] += (a0 * v0[l] + a1 * v1[l]) + (a2 * v2[l] + a3 * v3[l]);
        }
    }
}

// Returns the upper triangle, without the diagonal, of the correlations between the chosen markers.
std::vector<double> correlations(ConstMatrixView<float> x, std::span<const std::size_t> markers) {
    const std::vector<double> mean = marker_means(x);
    const std::size_t d = markers.size();
    const std::size_t stride = (d + lanes - 1) / lanes * lanes;
    static_assert(block_rows % 4 == 0);
    linalg::AlignedVector<double> centred(block_rows * stride);
    linalg::AlignedVector<double> covariance(d * stride);
    for (std::size_t first = 0; first < x.rows; first += block_rows) {
        const std::size_t count = std::min(block_rows, x.rows - first);
        std::ranges::fill(centred, 0.0);  // the rows that pad the last block add zero
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t l = 0; l < d; ++l)
                centred[i * stride + l] = x(first + i, markers[l]) - mean[markers[l]];
        }
        add_products(centred.data(), (count + 3) / 4 * 4, d, stride, covariance.data());
    }
    std::vector<double> triangle;
    triangle.reserve(d * (d - 1) / 2);
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t l = j + 1; l < d; ++l) {
            triangle.push_back(covariance[j * stride + l] /
                               std::sqrt(covariance[j * stride + j] * covariance[l * stride + l]));
        }
    }
    return triangle;
}

void check_populations(const char* name, ConstMatrixView<float> x, ConstMatrixView<float> y) {
    core::check_shape(std::string(name) + ".y", y.rows, y.cols, y.rows, x.cols);
    if (x.empty() || y.empty())
        throw core::ShapeMismatch(name, "[at least 1, at least 1]", x.empty() ? 0 : y.rows, x.cols);
}

}  // namespace

double correlation_r2(ConstMatrixView<float> x, ConstMatrixView<float> y) {
    check_populations("correlation_r2", x, y);
    std::vector<std::size_t> markers;
    const std::vector<bool> constant_x = constant_markers(x);
    const std::vector<bool> constant_y = constant_markers(y);
    for (std::size_t j = 0; j < x.cols; ++j) {
        if (!constant_x[j] && !constant_y[j]) markers.push_back(j);
    }
    if (markers.size() < 3) return undefined;
    if (markers.size() > max_stored_correlations) return wide_correlation_r2(x, y, markers);
    return pearson_correlation(correlations(x, markers), correlations(y, markers));
}

double r2_of_means(ConstMatrixView<float> predicted, ConstMatrixView<float> truth) {
    check_populations("r2_of_means", predicted, truth);
    const std::vector<double> p = marker_means(predicted);
    const std::vector<double> t = marker_means(truth);
    double mean_t = 0;
    for (double v : t) mean_t += v / static_cast<double>(t.size());
    double residual = 0;
    double total = 0;
    for (std::size_t j = 0; j < t.size(); ++j) {
        residual += (t[j] - p[j]) * (t[j] - p[j]);
        total += (t[j] - mean_t) * (t[j] - mean_t);
    }
    return total > 0 ? 1 - residual / total : undefined;
}

}  // namespace popflow::metrics
