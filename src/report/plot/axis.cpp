// SPDX-License-Identifier: MIT
#include "report/plot/axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace popflow::report::plot {

namespace {

// Returns the smallest and the largest finite value above `floor`, 0 and 1 without any.
std::pair<double, double> range_of(const std::vector<double>& values, double floor) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (double v : values) {
        if (!std::isfinite(v) || !(v > floor)) continue;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    return low <= high ? std::pair(low, high) : std::pair(0.0, 1.0);
}

// Returns 1, 2 or 5 times a power of ten, such that a span has about `count` steps.
double nice_step(double span, double count) {
    const double rough = span / count;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= rough) return factor * power;
    }
    return 10 * power;
}

}  // namespace

double Axis::place(double value) const {
    if (logarithmic) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
}

Axis linear_axis(const std::string& title, const std::vector<double>& values) {
    auto [low, high] = range_of(values, -std::numeric_limits<double>::infinity());
    const double margin = high > low ? 0.05 * (high - low) : std::max(0.05 * std::abs(low), 1e-3);
    Axis axis{.title = title, .low = low - margin, .high = high + margin};
    const double step = nice_step(axis.high - axis.low, 5);
    // Ticks are multiples of the step, so that a tick at zero is exactly zero.
    for (double k = std::ceil(axis.low / step); k * step <= axis.high; ++k) {
        axis.ticks.push_back(std::round(k * step / step * 1e6) / 1e6 * step);
    }
    return axis;
}

Axis log_axis(const std::string& title, const std::vector<double>& values) {
    auto [low, high] = range_of(values, 0);
    if (!(low > 0)) low = 0.1;
    const double margin = std::max(0.05 * std::log(high / low), 0.02);
    Axis axis{
        .title = title, .low = low * std::exp(-margin), .high = high * std::exp(margin), .logarithmic = true};
    const bool is_short = axis.high < 100 * axis.low;
    for (double power = std::floor(std::log10(axis.low)); power <= std::log10(axis.high); ++power) {
        for (double factor : {1.0, 2.0, 5.0}) {
            const double tick = factor * std::pow(10, power);
            if ((factor == 1 || is_short) && tick >= axis.low && tick <= axis.high)
                axis.ticks.push_back(tick);
        }
    }
    // A very short axis has linear ticks.
    if (axis.ticks.size() < 2) axis.ticks = linear_axis(title, {axis.low, axis.high}).ticks;
    std::erase_if(axis.ticks, [&](double t) { return t < axis.low || t > axis.high; });
    return axis;
}

}  // namespace popflow::report::plot
