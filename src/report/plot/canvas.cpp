// SPDX-License-Identifier: MIT
#include "report/plot/canvas.hpp"

#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
    return element("text", "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + attributes,
                   escaped(text));
}

}  // namespace

std::string path(const std::string& attributes, const std::string& d) {
    return "<path " + attributes + " d=\"" + d + "\"/>";
}

std::string Canvas::point(const Axis& x, const Axis& y, double at_x, double at_y) const {
    return coordinate(to_x(x, at_x)) + " " + coordinate(to_y(y, at_y));
}

std::string Canvas::frame(const Axis& x, const Axis& y) const {
    std::string grid;
    std::string labels;
    for (double tick : x.ticks) {
        const std::string at = coordinate(to_x(x, tick));
        grid += "M" + at + " " + coordinate(top) + "V" + coordinate(height - bottom);
        labels += text_at(to_x(x, tick), height - bottom + 17, "class=\"tick\" text-anchor=\"middle\"",
                          value_text(tick));
    }
    for (double tick : y.ticks) {
        const std::string at = coordinate(to_y(y, tick));
        grid += "M" + coordinate(left) + " " + at + "H" + coordinate(width - right);
        labels +=
            text_at(left - 7, to_y(y, tick) + 4, "class=\"tick\" text-anchor=\"end\"", value_text(tick));
    }
    if (!x.title.empty())
        labels +=
            text_at((left + width - right) / 2, height - 8, "class=\"axis\" text-anchor=\"middle\"", x.title);
    if (!y.title.empty()) {
        const double middle = (top + height - bottom) / 2;
        labels += text_at(0, 0,
                          "class=\"axis\" text-anchor=\"middle\" transform=\"translate(14 " +
                              coordinate(middle) + ") rotate(-90)\"",
                          y.title);
    }
    return path("class=\"grid\"", grid) + labels;
}

Drawing Canvas::drawing(const std::string& label, const std::string& content) const {
    return {.width = width, .height = height, .label = label, .content = content};
}

}  // namespace popflow::report::plot
