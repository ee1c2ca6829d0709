// SPDX-License-Identifier: MIT
#include "report/plot/matrix_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/plot/canvas.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

constexpr int levels = 32;
constexpr double map_size = 640;
constexpr double max_cell = 16;
constexpr double key_cell = 6;
constexpr double key_height = 13;
// Mean width of a character at 9 pixels. Slightly too large, so that texts do not overlap.
constexpr double character_width = 5.4;

// Returns the attributes of the cells of one level of shade.
std::string shade(int level) {
    return fmt::format("fill=\"#0072b2\" fill-opacity=\"{:.2f}\" shape-rendering=\"crispEdges\"",
                       0.03 + 0.87 * level / (levels - 1));
}

int level_of(double value, double low, double high) {
    const double share = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0;
    return static_cast<int>(std::lround(share * (levels - 1)));
}

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
    return element("text", "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + attributes,
                   escaped(text));
}

std::string rectangle(double x, double y, double width, double height) {
    return "M" + coordinate(x) + " " + coordinate(y) + "h" + coordinate(width) + "v" + coordinate(height) +
           "h" + coordinate(-width) + "Z";
}

}  // namespace

Drawing matrix_map(const std::string& label, const std::vector<std::string>& names,
                   linalg::ConstMatrixView<double> values, double low, double high) {
    const std::size_t n = values.rows;
    const double cell =
        std::clamp(std::floor(map_size / static_cast<double>(std::max<std::size_t>(n, 1))), 1.0, max_cell);
    const bool is_named = n <= max_named_rows;
    double longest = 0;
    for (const std::string& name : names)
        longest = std::max(longest, character_width * static_cast<double>(name.size()));
    const double margin = is_named ? longest + 12 : 12;
    const double size = cell * static_cast<double>(n);
    Drawing drawing{.width = margin + std::max(size, levels * key_cell + 110) + 12,
                    .height = margin + size + 40,
                    .label = label};

    // Equal neighbours in a row are one rectangle, and the cells of one level one path.
    std::vector<std::string> paths(levels);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n;) {
            if (!std::isfinite(values(i, j))) {
                ++j;
                continue;
            }
            const int level = level_of(values(i, j), low, high);
            std::size_t end = j + 1;
            while (end < n && std::isfinite(values(i, end)) && level_of(values(i, end), low, high) == level)
                ++end;
            paths[static_cast<std::size_t>(level)] +=
                rectangle(margin + cell * static_cast<double>(j), margin + cell * static_cast<double>(i),
                          cell * static_cast<double>(end - j), cell);
            j = end;
        }
    }
    for (int level = 0; level < levels; ++level) {
        const std::string& d = paths[static_cast<std::size_t>(level)];
        if (!d.empty()) drawing.content += path(shade(level), d);
    }
    for (std::size_t i = 0; is_named && i < n; ++i) {
        const double middle = margin + cell * (static_cast<double>(i) + 0.5);
        const std::string style = "class=\"tick\" style=\"font-size:9px\" ";
        drawing.content += text_at(margin - 5, middle + 3, style + "text-anchor=\"end\"", names[i]) +
                           text_at(0, 0,
                                   style + "transform=\"translate(" + coordinate(middle + 3) + " " +
                                       coordinate(margin - 5) + ") rotate(-90)\"",
                                   names[i]);
    }
    const double y = margin + size + 14;
    const std::string low_text = value_text(low);
    const double x = margin + 7.4 * static_cast<double>(low_text.size()) + 6;
    drawing.content += text_at(margin, y + 11, "class=\"tick\"", low_text);
    for (int level = 0; level < levels; ++level)
        drawing.content += path(shade(level), rectangle(x + key_cell * level, y, key_cell, key_height));
    drawing.content += text_at(x + key_cell * levels + 8, y + 11, "class=\"tick\"", value_text(high));
    return drawing;
}

}  // namespace popflow::report::plot
