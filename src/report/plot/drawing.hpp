// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::report::plot {

/// SVG content with its size. A unit is a CSS pixel if the drawing is not scaled.
struct Drawing {
    double width = 0;
    double height = 0;
    std::string label{};    ///< text for screen readers
    std::string content{};  ///< SVG elements

    /// Returns the `svg` element of a page. It has its own size, and shrinks to the available width.
    std::string svg() const;
    /// Returns an `svg` element inside another one, with its upper left corner at (x, y).
    std::string nested(double x, double y) const;
};

}  // namespace popflow::report::plot
