// SPDX-License-Identifier: MIT
#include "metrics/correlation.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "linalg/dispatch.hpp"

namespace popflow::metrics {

using linalg::ConstMatrixView;

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

std::vector<double> means(ConstMatrixView<float> x) {
    std::vector<double> mean(x.cols, 0.0);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) mean[j] += x(i, j);
    }
    for (double& v : mean) v /= static_cast<double>(x.rows);
    return mean;
}

bool is_constant(ConstMatrixView<float> x, std::size_t j) {
    for (std::size_t i = 1; i < x.rows; ++i) {
        if (x(i, j) != x(0, j)) return false;
    }
    return true;
}

POPFLOW_SIMD void add_outer_product(const double* v, std::size_t d, double* sums) {
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t l = j; l < d; ++l) sums[j * d + l] += v[j] * v[l];
    }
}

// Upper triangle, without the diagonal, of the correlations between the chosen markers.
std::vector<double> correlations(ConstMatrixView<float> x, std::span<const std::size_t> markers) {
    const std::vector<double> mean = means(x);
    const std::size_t d = markers.size();
    std::vector<double> centred(d);
    std::vector<double> covariance(d * d, 0.0);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t l = 0; l < d; ++l) centred[l] = x(i, markers[l]) - mean[markers[l]];
        add_outer_product(centred.data(), d, covariance.data());
    }
    std::vector<double> triangle;
    triangle.reserve(d * (d - 1) / 2);
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t l = j + 1; l < d; ++l) {
            triangle.push_back(covariance[j * d + l] /
                               std::sqrt(covariance[j * d + j] * covariance[l * d + l]));
        }
    }
    return triangle;
}

double pearson(std::span<const double> x, std::span<const double> y) {
    const auto n = static_cast<double>(x.size());
    double mean_x = 0;
    double mean_y = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    if (!(xx > 0) || !(yy > 0)) return undefined;
    return xy / std::sqrt(xx * yy);
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
    for (std::size_t j = 0; j < x.cols; ++j) {
        if (!is_constant(x, j) && !is_constant(y, j)) markers.push_back(j);
    }
    if (markers.size() < 3) return undefined;
    return pearson(correlations(x, markers), correlations(y, markers));
}

double r2_of_means(ConstMatrixView<float> predicted, ConstMatrixView<float> truth) {
    check_populations("r2_of_means", predicted, truth);
    const std::vector<double> p = means(predicted);
    const std::vector<double> t = means(truth);
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
