// SPDX-License-Identifier: MIT
#include "metrics/mean_change.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"

namespace popflow::metrics {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

std::vector<double> change(std::span<const double> from, std::span<const double> to) {
    std::vector<double> difference(to.begin(), to.end());
    for (std::size_t j = 0; j < to.size(); ++j) difference[j] -= from[j];
    return difference;
}

void check_markers(std::span<const double> control, std::span<const double> predicted,
                   std::span<const double> truth) {
    core::check_shape("predicted means", 1, predicted.size(), 1, control.size());
    core::check_shape("true means", 1, truth.size(), 1, control.size());
}

bool is_unchanged(const std::vector<double>& change) {
    return std::ranges::all_of(change, [](double v) { return v == 0; });
}

// Returns the markers with the largest absolute change, ascending.
std::vector<std::size_t> largest(const std::vector<double>& change, std::size_t count) {
    std::vector<std::size_t> markers(change.size());
    std::iota(markers.begin(), markers.end(), std::size_t{0});
    std::ranges::stable_sort(markers, std::greater<>(), [&](std::size_t j) { return std::abs(change[j]); });
    markers.resize(count);
    std::ranges::sort(markers);
    return markers;
}

}  // namespace

std::vector<double> marker_means(linalg::ConstMatrixView<float> x) {
    std::vector<double> mean(x.cols, 0.0);
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) mean[j] += x(i, j);
    }
    for (double& v : mean) v /= static_cast<double>(x.rows);
    return mean;
}

double pearson_correlation(std::span<const double> x, std::span<const double> y) {
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

double change_correlation(std::span<const double> control, std::span<const double> predicted,
                          std::span<const double> truth) {
    check_markers(control, predicted, truth);
    if (control.size() < 3) return undefined;
    return pearson_correlation(change(control, predicted), change(control, truth));
}

std::size_t changed_markers(std::size_t markers) {
    return (markers + 4) / 5;
}

double recall_of_changed(std::span<const double> control, std::span<const double> predicted,
                         std::span<const double> truth) {
    check_markers(control, predicted, truth);
    const std::vector<double> predicted_change = change(control, predicted);
    const std::vector<double> true_change = change(control, truth);
    if (control.size() < 2 || is_unchanged(predicted_change) || is_unchanged(true_change)) return undefined;
    const std::size_t count = changed_markers(control.size());
    const std::vector<std::size_t> wanted = largest(true_change, count);
    std::vector<std::size_t> found;
    std::ranges::set_intersection(wanted, largest(predicted_change, count), std::back_inserter(found));
    return static_cast<double>(found.size()) / static_cast<double>(count);
}

}  // namespace popflow::metrics
