// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// Number of rows up to which matrix_map() draws the names of the rows.
inline constexpr std::size_t max_named_rows = 70;

/// Returns a square matrix as a map of small coloured cells without numbers, with a colour key below.
///
/// Cells that are not finite are empty.
/// @param names  names of the rows and columns
/// @param low  value of the lightest shade
/// @param high  value of the darkest shade
Drawing matrix_map(const std::string& label, const std::vector<std::string>& names,
                   linalg::ConstMatrixView<double> values, double low, double high);

}  // namespace popflow::report::plot
