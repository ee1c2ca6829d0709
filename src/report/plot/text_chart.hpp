// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace popflow::report::plot {

/// A curve as lines of text, `width` by `height` characters with the labels of the y axis: the mean of the
/// values that fall into each column, logarithmic if all are above 0. Values that are not finite are left
/// out; empty without any.
/// @param y  equally spaced along x
std::string text_chart(const std::vector<double>& y, std::size_t width, std::size_t height);

}  // namespace popflow::report::plot
