// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "report/plot/axis.hpp"

namespace popflow::report::plot {

/// The area of a drawing and the margins around its plot, in units of about a pixel on a telephone.
struct Canvas {
    double width = 400;
    double height = 330;
    double left = 76;
    double right = 12;
    double top = 10;
    double bottom = 46;

    double across(const Axis& x, double value) const {
        return left + x.place(value) * (width - left - right);
    }
    double down(const Axis& y, double value) const {
        return height - bottom - y.place(value) * (height - top - bottom);
    }
    /// `X Y` of a point.
    std::string point(const Axis& x, const Axis& y, double at_x, double at_y) const;
    /// Grid, ticks and titles. An axis without ticks has no grid.
    std::string frame(const Axis& x, const Axis& y) const;
    /// The `svg` element. @param label  what a screen reader says
    std::string drawing(const std::string& label, const std::string& content) const;
};

/// `<path attributes d="..."/>`.
std::string path(const std::string& attributes, const std::string& d);

}  // namespace popflow::report::plot
