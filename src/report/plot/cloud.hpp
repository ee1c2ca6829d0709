// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "report/plot/axis.hpp"

namespace popflow::report::plot {

/// Many cells of one kind.
struct Cloud {
    std::vector<double> x;
    std::vector<double> y;
    std::size_t group = 0;  ///< decides the colour
    std::string title{};    ///< shown when it is pointed at
};

/// From where a cell starts to where it ends: x, y, x, y.
using Arrow = std::array<double, 4>;

/// Clouds of small translucent points, the last on top, with arrows over them. Points that are not finite are
/// left out.
std::string cloud_chart(const std::string& label, const Axis& x, const Axis& y,
                        const std::vector<Cloud>& clouds, const std::vector<Arrow>& arrows);

/// A small square picture of one cloud without axes, both directions to one scale: `centre` lies in the
/// middle, and half a side is `reach`.
std::string cloud_frame(const std::string& label, const Cloud& cloud, std::array<double, 2> centre,
                        double reach);

/// A density of one marker.
struct Density {
    std::vector<double> values;
    std::size_t group = 0;
    std::string title{};
};

/// Densities of one marker as curves over its values: Gaussian kernels of Silverman's width,
/// 0.9 min(sd, iqr / 1.34) n^(-1/5). Curves of fewer than two distinct values are left out.
/// Source: Silverman, "Density Estimation for Statistics and Data Analysis", 1986, eq. 3.31.
std::string density_chart(const std::string& label, const std::string& marker,
                          const std::vector<Density>& densities);

/// The curve of density_chart() at some places; empty if there are fewer than two distinct values.
std::vector<double> kernel_density(std::vector<double> values, const std::vector<double>& at);

}  // namespace popflow::report::plot
