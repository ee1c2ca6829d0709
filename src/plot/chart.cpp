// SPDX-License-Identifier: MIT
#include "plot/chart.hpp"

#include <cmath>

#include "plot/markup.hpp"

namespace popflow::plot {

namespace {

// Units of the drawing, about a pixel on a telephone.
constexpr double width = 400;
constexpr double height = 330;
constexpr double left = 56;
constexpr double right = 12;
constexpr double top = 10;
constexpr double bottom = 46;
constexpr std::size_t colours = 8;

double across(const Axis& x, double value) {
    return left + x.place(value) * (width - left - right);
}
double down(const Axis& y, double value) {
    return height - bottom - y.place(value) * (height - top - bottom);
}

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
    return element("text", "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + attributes,
                   escaped(text));
}

std::string path(const std::string& attributes, const std::string& d) {
    return "<path " + attributes + " d=\"" + d + "\"/>";
}

std::string frame(const Axis& x, const Axis& y) {
    std::string grid;
    std::string labels;
    for (double tick : x.ticks) {
        const std::string at = coordinate(across(x, tick));
        grid += "M" + at + " " + coordinate(top) + "V" + coordinate(height - bottom);
        labels += text_at(across(x, tick), height - bottom + 17, "class=\"tick\" text-anchor=\"middle\"",
                          value_text(tick));
    }
    for (double tick : y.ticks) {
        const std::string at = coordinate(down(y, tick));
        grid += "M" + coordinate(left) + " " + at + "H" + coordinate(width - right);
        labels +=
            text_at(left - 7, down(y, tick) + 4, "class=\"tick\" text-anchor=\"end\"", value_text(tick));
    }
    labels +=
        text_at((left + width - right) / 2, height - 8, "class=\"axis\" text-anchor=\"middle\"", x.title);
    const double middle = (top + height - bottom) / 2;
    labels += text_at(0, 0,
                      "class=\"axis\" text-anchor=\"middle\" transform=\"translate(14 " + coordinate(middle) +
                          ") rotate(-90)\"",
                      y.title);
    return path("class=\"grid\"", grid) + labels;
}

std::string drawing(const std::string& label, const std::string& content) {
    return element("svg",
                   "class=\"chart\" role=\"img\" aria-label=\"" + escaped(label) + "\" viewBox=\"0 0 " +
                       coordinate(width) + " " + coordinate(height) + "\"",
                   content);
}

// Outline of the shape of a group around a point.
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

std::string scatter_chart(const std::string& label, const Axis& x, const Axis& y,
                          const std::vector<Mark>& marks, bool diagonal) {
    std::string content = frame(x, y);
    if (diagonal) {
        const double low = std::max(x.low, y.low);
        const double high = std::min(x.high, y.high);
        if (low < high) {
            content += path("class=\"diagonal\"",
                            "M" + coordinate(across(x, low)) + " " + coordinate(down(y, low)) + "L" +
                                coordinate(across(x, high)) + " " + coordinate(down(y, high)));
        }
    }
    for (const Mark& mark : marks) {
        const double at_x = across(x, mark.x);
        const double at_y = down(y, mark.y);
        if (!std::isfinite(at_x) || !std::isfinite(at_y)) continue;
        content += element(
            "path",
            "class=\"mark " + colour_class(mark.group) + "\" d=\"" + shape(mark.group, at_x, at_y) + "\"",
            element("title", "", escaped(mark.title)));
    }
    return drawing(label, content);
}

std::string line_chart(const std::string& label, const Axis& x, const Axis& y,
                       const std::vector<Line>& lines) {
    std::string content = frame(x, y);
    for (const Line& line : lines) {
        std::string d;
        for (std::size_t i = 0; i < line.x.size(); ++i) {
            const double at_x = across(x, line.x[i]);
            const double at_y = down(y, line.y[i]);
            if (!std::isfinite(at_x) || !std::isfinite(at_y)) continue;
            d += (d.empty() ? "M" : "L") + coordinate(at_x) + " " + coordinate(at_y);
        }
        if (d.empty()) continue;
        content += element("path",
                           "class=\"line " + colour_class(line.group) + " dash" +
                               std::to_string(line.group / colours % 4) + "\" d=\"" + d + "\"",
                           element("title", "", escaped(line.title)));
    }
    return drawing(label, content);
}

std::string legend(const std::vector<std::string>& names, bool shapes) {
    std::string items;
    for (std::size_t g = 0; g < names.size(); ++g) {
        const std::string colour = colour_class(g);
        const std::string sign =
            shapes ? path("class=\"mark " + colour + "\"", shape(g, 7, 7))
                   : path("class=\"line " + colour + " dash" + std::to_string(g / colours % 4) + "\"",
                          "M0 7H22");
        items += element("li", "",
                         element("svg",
                                 std::string("aria-hidden=\"true\" width=\"") + (shapes ? "14" : "22") +
                                     "\" height=\"14\"",
                                 sign) +
                             escaped(names[g]));
    }
    return element("ul", "class=\"legend\"", items);
}

}  // namespace popflow::plot
