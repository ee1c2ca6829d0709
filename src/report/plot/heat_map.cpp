// SPDX-License-Identifier: MIT
#include "report/plot/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

constexpr int key_steps = 8;

std::string two_decimals(double value) {
    const std::string text = fmt::format("{:.2f}", value);
    return text == "-0.00" ? "0.00" : text;
}

std::string cell_element(const HeatCell& cell, double low, double high) {
    if (std::isnan(cell.value)) return element("td", "", "");
    const double share = high > low ? std::clamp((cell.value - low) / (high - low), 0.0, 1.0) : 0;
    // The shade is limited, so that the number remains readable.
    const std::string shade = two_decimals(0.04 + 0.51 * share);
    return element("td", "style=\"--shade:" + shade + "\" title=\"" + escaped(cell.title) + "\"",
                   two_decimals(cell.value));
}

// Returns the colour key: a strip from the lightest to the darkest shade with their values.
std::string colour_key(double low, double high) {
    std::string strip;
    for (int k = 0; k < key_steps; ++k) {
        const std::string shade = two_decimals(0.04 + 0.51 * k / (key_steps - 1));
        strip += element("i", "style=\"--shade:" + shade + "\"", "");
    }
    return element(
        "p", "class=\"key\"",
        two_decimals(low) + " " + element("span", "aria-hidden=\"true\"", strip) + " " + two_decimals(high));
}

}  // namespace

std::string heat_map(const std::string& label, const std::vector<std::string>& row_names,
                     const std::vector<std::string>& column_names,
                     const std::vector<std::vector<HeatCell>>& cells, double low, double high) {
    std::string head = "<td></td>";
    for (const std::string& name : column_names) head += element("th", "scope=\"col\"", escaped(name));
    std::string rows = element("tr", "", head);
    for (std::size_t r = 0; r < row_names.size(); ++r) {
        std::string row = element("th", "scope=\"row\"", escaped(row_names[r]));
        for (const HeatCell& cell : cells[r]) row += cell_element(cell, low, high);
        rows += element("tr", "", row);
    }
    return element("div", "class=\"scroll\"",
                   element("table", "class=\"heat\" aria-label=\"" + escaped(label) + "\"", rows)) +
           (high > low ? colour_key(low, high) : "");
}

}  // namespace popflow::report::plot
