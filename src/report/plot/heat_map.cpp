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

double shade_of(double value, double low, double high) {
    const double share = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0;
    // The shade is limited, so that the number remains readable.
    return 0.04 + 0.51 * share;
}

std::string cell_element(const HeatCell& cell, double low, double high) {
    if (std::isnan(cell.value)) return element("td", "", "");
    const std::string shade = two_decimals(shade_of(cell.value, low, high));
    return element("td", "style=\"--shade:" + shade + "\" title=\"" + escaped(cell.title) + "\"",
                   two_decimals(cell.value));
}

constexpr double cell_width = 48;
constexpr double cell_height = 24;
// Mean width of a character at 12 pixels. Slightly too large, so that texts do not overlap.
constexpr double character_width = 6.8;

double widest(const std::vector<std::string>& names) {
    std::size_t characters = 0;
    for (const std::string& name : names) characters = std::max(characters, name.size());
    return character_width * static_cast<double>(characters);
}

std::string drawn_text(double x, double y, const std::string& attributes, const std::string& text) {
    return element("text",
                   "class=\"tick\" x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + attributes,
                   escaped(text));
}

std::string shaded_box(double x, double y, double width, double height, double shade) {
    return "<rect x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" width=\"" + coordinate(width) +
           "\" height=\"" + coordinate(height) + "\" fill=\"#0072b2\" fill-opacity=\"" + two_decimals(shade) +
           "\"/>";
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

Drawing heat_map_drawing(const std::string& label, const std::vector<std::string>& row_names,
                         const std::vector<std::string>& column_names,
                         const std::vector<std::vector<HeatCell>>& cells, double low, double high) {
    const bool upwards = widest(column_names) > cell_width - 4;
    const double left = std::max(widest(row_names) + 18, 46.0);  // the key has a number on its left
    const double top = upwards ? widest(column_names) + 14 : 28;
    const double bottom = high > low ? 34 : 10;
    Drawing drawing{.width = left + cell_width * static_cast<double>(column_names.size()) + 12,
                    .height = top + cell_height * static_cast<double>(row_names.size()) + bottom,
                    .label = label};
    for (std::size_t c = 0; c < column_names.size(); ++c) {
        const double x = left + cell_width * (static_cast<double>(c) + 0.5);
        drawing.content += upwards ? drawn_text(0, 0,
                                                "transform=\"translate(" + coordinate(x + 4) + " " +
                                                    coordinate(top - 7) + ") rotate(-90)\"",
                                                column_names[c])
                                   : drawn_text(x, top - 8, "text-anchor=\"middle\"", column_names[c]);
    }
    for (std::size_t r = 0; r < row_names.size(); ++r) {
        const double y = top + cell_height * static_cast<double>(r);
        drawing.content += drawn_text(left - 8, y + 16, "text-anchor=\"end\"", row_names[r]);
        for (std::size_t c = 0; c < cells[r].size(); ++c) {
            const double value = cells[r][c].value;
            if (std::isnan(value)) continue;
            const double x = left + cell_width * static_cast<double>(c);
            drawing.content +=
                shaded_box(x + 1, y + 1, cell_width - 2, cell_height - 2, shade_of(value, low, high)) +
                element("text",
                        "class=\"axis\" text-anchor=\"middle\" x=\"" + coordinate(x + cell_width / 2) +
                            "\" y=\"" + coordinate(y + 16.5) + "\"",
                        two_decimals(value));
        }
    }
    if (!(high > low)) return drawing;
    const double y = drawing.height - 22;
    drawing.content += drawn_text(left - 8, y + 11, "text-anchor=\"end\"", two_decimals(low));
    for (int k = 0; k < key_steps; ++k)
        drawing.content += shaded_box(left + 14 * k, y, 14, 13, 0.04 + 0.51 * k / (key_steps - 1));
    drawing.content += drawn_text(left + 14 * key_steps + 8, y + 11, "", two_decimals(high));
    // A map with few columns is narrower than its key.
    drawing.width = std::max(drawing.width, left + 14 * key_steps + 8 + 40);
    return drawing;
}

}  // namespace popflow::report::plot
