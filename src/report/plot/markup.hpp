// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace popflow::report::plot {

/// Escapes the special characters of HTML and SVG, for element content and quoted attribute values.
std::string escaped(std::string_view text);

/// Returns `<tag attributes>content</tag>`. Does not escape its arguments.
std::string element(std::string_view tag, std::string_view attributes, std::string_view content);

/// Formats a coordinate in units of the drawing, rounded to a tenth.
std::string coordinate(double value);

/// Formats a value with four significant digits, NaN as `-`.
std::string value_text(double value);

}  // namespace popflow::report::plot
