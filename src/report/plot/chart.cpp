// SPDX-License-Identifier: MIT
#include "report/plot/chart.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/plot/canvas.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

constexpr Canvas canvas;
constexpr std::size_t colours = 8;

// Returns the outline of the shape of a group around a point: circle, square, triangle or diamond.
std::string shape(std::size_t group, double x, double y) {
    const auto point = [&](double dx, double dy) { return coordinate(x + dx) + " " + coordinate(y + dy); };
    switch (group / colours % 4) {
        case 0:
            return "M" + point(-4, 0) + "a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z";
        case 1:
            return "M" + point(-3.6, -3.6) + "h7.2v7.2h-7.2Z";
        case 2:
            return "M" + point(0, -5) + "L" + point(4.6, 3.6) + "L" + point(-4.6, 3.6) + "Z";
        default:
            return "M" + point(0, -5.2) + "L" + point(5.2, 0) + "L" + point(0, 5.2) + "L" + point(-5.2, 0) +
                   "Z";
    }
}

std::string colour_class(std::size_t group) {
    return "c" + std::to_string(group % colours);
}

}  // namespace

Drawing scatter_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Mark>& marks,
                      bool diagonal) {
    std::string content = canvas.frame(x, y);
    if (diagonal) {
        const double low = std::max(x.low, y.low);
        const double high = std::min(x.high, y.high);
        if (low < high) {
            content +=
                path("class=\"diagonal\"",
                     "M" + coordinate(canvas.to_x(x, low)) + " " + coordinate(canvas.to_y(y, low)) + "L" +
                         coordinate(canvas.to_x(x, high)) + " " + coordinate(canvas.to_y(y, high)));
        }
    }
    for (const Mark& mark : marks) {
        const double at_x = canvas.to_x(x, mark.x);
        const double at_y = canvas.to_y(y, mark.y);
        if (!std::isfinite(at_x) || !std::isfinite(at_y)) continue;
        content += element("path",
                           std::string("class=\"mark ") + (mark.is_ringed ? "ringed " : "") +
                               colour_class(mark.group) + "\" d=\"" + shape(mark.group, at_x, at_y) + "\"",
                           element("title", "", escaped(mark.title)));
    }
    return canvas.drawing(label, content);
}

Drawing line_chart(const std::string& label, const Axis& x, const Axis& y, const std::vector<Line>& lines) {
    std::string content = canvas.frame(x, y);
    for (const Line& line : lines) {
        std::string d;
        for (std::size_t i = 0; i < line.x.size(); ++i) {
            const double at_x = canvas.to_x(x, line.x[i]);
            const double at_y = canvas.to_y(y, line.y[i]);
            if (!std::isfinite(at_x) || !std::isfinite(at_y)) continue;
            d += (d.empty() ? "M" : "L") + coordinate(at_x) + " " + coordinate(at_y);
        }
        if (d.empty()) continue;
        const bool is_dot = d.find('L') == std::string::npos;
        if (is_dot) d += "h0";  // a line of length 0, drawn as a dot by its round caps
        content += element("path",
                           fmt::format("class=\"line {} dash{}{}\" d=\"{}\"", colour_class(line.group),
                                       line.group / colours % 4, is_dot ? " dot" : "", d),
                           element("title", "", escaped(line.title)));
    }
    return canvas.drawing(label, content);
}

double legend_sign_width(Sign sign) {
    return sign == Sign::mark ? 14 : 22;
}

std::string legend_sign(Sign sign, std::size_t group, double x, double y) {
    const std::string colour = colour_class(group);
    if (sign == Sign::mark) return path("class=\"mark " + colour + "\"", shape(group, x + 7, y + 7));
    return path(fmt::format("class=\"line {} dash{}\"", colour, group / colours % 4),
                "M" + coordinate(x) + " " + coordinate(y + 7) + "h22");
}

}  // namespace popflow::report::plot
