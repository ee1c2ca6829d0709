// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// Cell of a heat map.
struct HeatCell {
    double value = 0;     ///< NaN for an empty cell
    std::string title{};  ///< tooltip
};

/// Returns a heat map as an HTML table with a colour key below.
/// @param low  value of the lightest shade
/// @param high  value of the darkest shade
/// @param cells  one row per row name, one cell per column name
std::string heat_map(const std::string& label, const std::vector<std::string>& row_names,
                     const std::vector<std::string>& column_names,
                     const std::vector<std::vector<HeatCell>>& cells, double low, double high);

/// Returns the same heat map as a drawing, for a file of its own. Column names that are wider than a cell are
/// written upwards.
Drawing heat_map_drawing(const std::string& label, const std::vector<std::string>& row_names,
                         const std::vector<std::string>& column_names,
                         const std::vector<std::vector<HeatCell>>& cells, double low, double high);

}  // namespace popflow::report::plot
