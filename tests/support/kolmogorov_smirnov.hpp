// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace popflow::support {

/// Returns the Kolmogorov-Smirnov statistic times sqrt(n): the largest difference between the empirical
/// distribution of a sample and a continuous distribution function, scaled so that its law does not depend on
/// n.
template <class Cdf>
double scaled_ks(std::vector<double> sample, Cdf cdf) {
    std::ranges::sort(sample);
    const auto n = static_cast<double>(sample.size());
    double largest = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const double f = cdf(sample[i]);
        const auto before = static_cast<double>(i);
        largest = std::max({largest, f - before / n, (before + 1) / n - f});
    }
    return largest * std::sqrt(n);
}

/// Limit of scaled_ks() that a sample of the law exceeds with probability 0.001.
inline constexpr double ks_limit = 1.95;

/// Returns the distribution function of U(low, high) at x.
inline double uniform_cdf(double x, double low, double high) {
    return std::clamp((x - low) / (high - low), 0.0, 1.0);
}

/// Returns the distribution function of N(0, sd^2) at x.
inline double normal_cdf(double x, double sd) {
    return std::erfc(-x / (sd * std::sqrt(2.0))) / 2;
}

}  // namespace popflow::support
