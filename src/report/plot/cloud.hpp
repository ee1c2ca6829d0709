// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "report/plot/axis.hpp"
#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// Cells of one state, for example the control cells.
struct Cloud {
    std::vector<double> x;
    std::vector<double> y;
    std::size_t group = 0;  ///< index of the colour
    std::string title{};    ///< tooltip
};

/// Start and end of the movement of a cell: x, y, x, y.
using Arrow = std::array<double, 4>;

/// Returns a chart of clouds of small translucent points, the last one on top, with arrows over them. Points
/// that are not finite are omitted.
Drawing cloud_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Cloud>& clouds,
                    const std::vector<Arrow>& arrows);

/// Returns a small square chart of one cloud without axes. Both directions have the same scale. Points
/// outside are omitted.
/// @param centre  values in the middle
/// @param reach  distance from the centre to an edge, in values
Drawing cloud_frame(const std::string& label, const Cloud& cloud, std::array<double, 2> centre, double reach);

/// Values of one marker in one state, whose density is drawn.
struct Density {
    std::vector<double> values;
    std::size_t group = 0;
    std::string title{};
};

/// Returns a line chart of kernel density estimates of one marker.
///
/// The kernels are Gaussian with Silverman's bandwidth, 0.9 min(sd, iqr / 1.34) n^(-1/5). A density of fewer
/// than two distinct values is omitted.
///
/// Source: Silverman, "Density Estimation for Statistics and Data Analysis", 1986, eq. 3.31.
Drawing density_chart(const std::string& label, const std::string& marker,
                      const std::vector<Density>& densities);

/// Returns the density estimate of density_chart() at some values, empty for fewer than two distinct values.
/// @param at  values to evaluate the density at
std::vector<double> kernel_density(std::vector<double> values, const std::vector<double>& at);

}  // namespace popflow::report::plot
