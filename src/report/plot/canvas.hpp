// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "report/plot/axis.hpp"
#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// Size of a drawing and margins around its plot. A unit is about one pixel on a phone.
struct Canvas {
    double width = 400;
    double height = 330;
    double left = 76;
    double right = 12;
    double top = 10;
    double bottom = 46;

    /// Horizontal coordinate of a value.
    double to_x(const Axis& x, double value) const { return left + x.place(value) * (width - left - right); }
    /// Vertical coordinate of a value.
    double to_y(const Axis& y, double value) const {
        return height - bottom - y.place(value) * (height - top - bottom);
    }
    /// Returns the coordinates of a point as `X Y`.
    std::string point(const Axis& x, const Axis& y, double at_x, double at_y) const;
    /// Returns grid, ticks and titles. An axis without ticks has no grid lines.
    std::string frame(const Axis& x, const Axis& y) const;
    /// Returns a drawing of this size.
    /// @param label  text for screen readers
    Drawing drawing(const std::string& label, const std::string& content) const;
};

/// Returns `<path attributes d="..."/>`.
std::string path(const std::string& attributes, const std::string& d);

}  // namespace popflow::report::plot
