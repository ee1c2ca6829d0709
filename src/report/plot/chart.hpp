// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/plot/axis.hpp"

namespace popflow::report::plot {

/// A point of a scatter chart.
struct Mark {
    double x = 0;
    double y = 0;
    std::size_t group = 0;  ///< decides colour and shape
    std::string title{};    ///< shown when it is pointed at
};

/// A polyline of a line chart.
struct Line {
    std::vector<double> x;
    std::vector<double> y;
    std::size_t group = 0;
    std::string title{};
};

/// Marks on two axes as SVG, which scales to the width it is given. Colours are those of page().
///
/// Marks and lines with a coordinate that is not finite are left out. @param label  what a screen reader says
/// @param diagonal  draws y = x
std::string scatter_chart(const std::string& label, const Axis& x, const Axis& y,
                          const std::vector<Mark>& marks, bool diagonal);

std::string line_chart(const std::string& label, const Axis& x, const Axis& y,
                       const std::vector<Line>& lines);

/// A list of group names with their colours, and shapes if `shapes`.
std::string legend(const std::vector<std::string>& names, bool shapes);

}  // namespace popflow::report::plot
