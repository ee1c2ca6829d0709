// SPDX-License-Identifier: MIT
#include "report/plot/drawing.hpp"

#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

std::string size_attributes(const Drawing& drawing) {
    const std::string width = coordinate(drawing.width);
    const std::string height = coordinate(drawing.height);
    return "width=\"" + width + "\" height=\"" + height + "\" viewBox=\"0 0 " + width + " " + height + "\"";
}

}  // namespace

std::string Drawing::svg() const {
    return element(
        "svg", "class=\"chart\" role=\"img\" aria-label=\"" + escaped(label) + "\" " + size_attributes(*this),
        content);
}

std::string Drawing::nested(double x, double y) const {
    return element("svg", "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" " + size_attributes(*this),
                   content);
}

}  // namespace popflow::report::plot
