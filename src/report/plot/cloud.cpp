// SPDX-License-Identifier: MIT
#include "report/plot/cloud.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "report/plot/canvas.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

constexpr Canvas small{.width = 240, .height = 150, .left = 12, .right = 12, .top = 8, .bottom = 40};
constexpr Canvas square{.width = 160, .height = 160, .left = 2, .right = 2, .top = 2, .bottom = 2};

std::string titled_path(const std::string& classes, const std::string& d, const std::string& title) {
    return element("path", "class=\"" + classes + "\" d=\"" + d + "\"", element("title", "", escaped(title)));
}

// Draws a dot at each point: a line of length 0 with round caps.
std::string dots(const Canvas& canvas, const Axis& x, const Axis& y, const Cloud& cloud) {
    std::string d;
    for (std::size_t i = 0; i < cloud.x.size(); ++i) {
        if (std::isfinite(x.place(cloud.x[i])) && std::isfinite(y.place(cloud.y[i])))
            d += "M" + canvas.point(x, y, cloud.x[i], cloud.y[i]) + "h0";
    }
    return titled_path("cloud line c" + std::to_string(cloud.group % 8), d, cloud.title);
}

double quantile(const std::vector<double>& sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

double silverman_bandwidth(const std::vector<double>& sorted) {
    const double n = static_cast<double>(sorted.size());
    double mean = 0;
    for (double v : sorted) mean += v / n;
    double square_sum = 0;
    for (double v : sorted) square_sum += (v - mean) * (v - mean);
    const double deviation = std::sqrt(square_sum / (n - 1));
    const double scaled_iqr = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34;
    // An interquartile range of 0 means that at least half of the values are equal. It is no measure of
    // spread.
    const double spread = scaled_iqr > 0 ? std::min(deviation, scaled_iqr) : deviation;
    return 0.9 * spread * std::pow(n, -0.2);
}

}  // namespace

Drawing cloud_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Cloud>& clouds,
                    const std::vector<Arrow>& arrows) {
    constexpr Canvas canvas;
    std::string content = canvas.frame(x, y);
    for (const Cloud& cloud : clouds) content += dots(canvas, x, y, cloud);
    std::string d;
    for (const Arrow& a : arrows) {
        if (!std::ranges::all_of(a, [](double v) { return std::isfinite(v); })) continue;
        d += "M" + canvas.point(x, y, a[0], a[1]) + "L" + canvas.point(x, y, a[2], a[3]);
    }
    if (!d.empty()) content += titled_path("arrows", d, "sample of cells, from control to prediction");
    return canvas.drawing(label, content);
}

Drawing cloud_frame(const std::string& label, const Cloud& cloud, std::array<double, 2> centre,
                    double reach) {
    const Axis x{.title = "", .low = centre[0] - reach, .high = centre[0] + reach};
    const Axis y{.title = "", .low = centre[1] - reach, .high = centre[1] + reach};
    Cloud inside = cloud;
    for (std::size_t i = 0; i < inside.x.size(); ++i) {
        if (std::abs(inside.x[i] - centre[0]) > reach || std::abs(inside.y[i] - centre[1]) > reach)
            inside.x[i] = std::nan("");
    }
    return square.drawing(label, dots(square, x, y, inside));
}

std::vector<double> kernel_density(std::vector<double> values, const std::vector<double>& at) {
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    std::ranges::sort(values);
    if (values.empty() || values.front() == values.back()) return {};
    const double width = silverman_bandwidth(values);
    const double n = static_cast<double>(values.size());
    std::vector<double> density;
    for (const double place : at) {
        double sum = 0;
        for (const double v : values) sum += std::exp(-0.5 * std::pow((place - v) / width, 2));
        density.push_back(sum / (n * width * std::sqrt(2 * std::numbers::pi)));
    }
    return density;
}

Drawing density_chart(const std::string& label, const std::string& marker,
                      const std::vector<Density>& densities) {
    constexpr int points = 80;
    std::vector<double> all;
    for (const Density& density : densities)
        all.insert(all.end(), density.values.begin(), density.values.end());
    const Axis x = linear_axis(marker, all);
    std::vector<double> at;
    for (int i = 0; i <= points; ++i) at.push_back(x.low + (x.high - x.low) * i / points);
    std::vector<std::vector<double>> curves;
    Axis y{.title = "", .low = 0, .high = 0};
    for (const Density& density : densities) {
        curves.push_back(kernel_density(density.values, at));
        for (const double value : curves.back()) y.high = std::max(y.high, value);
    }
    if (!(y.high > 0)) y.high = 1;
    std::string content = small.frame(x, y);
    for (std::size_t c = 0; c < curves.size(); ++c) {
        std::string d;
        for (std::size_t i = 0; i < curves[c].size(); ++i)
            d += (d.empty() ? "M" : "L") + small.point(x, y, at[i], curves[c][i]);
        if (!d.empty())
            content += titled_path("line c" + std::to_string(densities[c].group % 8), d, densities[c].title);
    }
    return small.drawing(label, content);
}

}  // namespace popflow::report::plot
