// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::report::plot {

/// A cell of a heat map.
struct HeatCell {
    double value = 0;     ///< NaN: empty
    std::string title{};  ///< shown when it is pointed at
};

/// A table as HTML whose cells are the darker the larger their value, from `low` to `high`, with a key
/// to the shades below.
/// @param cells  one row per row name, one cell per column name
std::string heat_map(const std::string& label, const std::vector<std::string>& row_names,
                     const std::vector<std::string>& column_names,
                     const std::vector<std::vector<HeatCell>>& cells, double low, double high);

}  // namespace popflow::report::plot
