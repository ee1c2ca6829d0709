// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/plot/axis.hpp"

namespace popflow::report::plot {

/// Point of a scatter chart.
struct Mark {
    double x = 0;
    double y = 0;
    std::size_t group = 0;  ///< index of the colour and shape
    std::string title{};    ///< tooltip
};

/// Polyline of a line chart.
struct Line {
    std::vector<double> x;
    std::vector<double> y;
    std::size_t group = 0;
    std::string title{};
};

/// Returns a scatter chart as SVG, which scales to the available width. page() defines the colours.
///
/// Marks with a coordinate that is not finite are omitted.
/// @param label  text for screen readers
/// @param diagonal  draws the line y = x
std::string scatter_chart(const std::string& label, const Axis& x, const Axis& y,
                          const std::vector<Mark>& marks, bool diagonal);

/// Returns a line chart as SVG. Points with a coordinate that is not finite are omitted.
std::string line_chart(const std::string& label, const Axis& x, const Axis& y,
                       const std::vector<Line>& lines);

/// Returns a list of group names with their colours and marks.
/// @param shapes  true for the marks of a scatter chart, false for the lines of a line chart
std::string legend(const std::vector<std::string>& names, bool shapes);

}  // namespace popflow::report::plot
