// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/plot/axis.hpp"
#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// Point of a scatter chart.
struct Mark {
    double x = 0;
    double y = 0;
    std::size_t group = 0;   ///< index of the colour and shape
    std::string title{};     ///< tooltip
    bool is_ringed = false;  ///< drawn with an outline, to stand out
};

/// Polyline of a line chart.
struct Line {
    std::vector<double> x;
    std::vector<double> y;
    std::size_t group = 0;
    std::string title{};
};

/// Returns a scatter chart. theme.hpp defines the colours.
///
/// Marks with a coordinate that is not finite are omitted.
/// @param label  text for screen readers
/// @param diagonal  draws the line y = x
Drawing scatter_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Mark>& marks,
                      bool diagonal);

/// Returns a line chart. Points with a coordinate that is not finite are omitted.
Drawing line_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Line>& lines);

/// Sign of a group in a legend: the mark of a scatter chart or the line of a line chart.
enum class Sign : std::uint8_t { mark, line };

/// Returns the sign of a group as SVG, with its upper left corner at (x, y). It is legend_sign_height high.
std::string legend_sign(Sign sign, std::size_t group, double x, double y);
/// Width of a sign.
double legend_sign_width(Sign sign);
inline constexpr double legend_sign_height = 14;

}  // namespace popflow::report::plot
