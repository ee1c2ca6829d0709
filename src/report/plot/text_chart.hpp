// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace popflow::report::plot {

/// Returns a curve as text of `width` by `height` characters, including the labels of the y axis.
///
/// A column shows the mean of its values. The y axis is logarithmic if all means are positive. Values that
/// are not finite are omitted. Returns an empty text without finite values.
/// @param y  values at equally spaced x
std::string text_chart(const std::vector<double>& y, std::size_t width, std::size_t height);

}  // namespace popflow::report::plot
