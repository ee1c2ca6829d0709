// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace popflow::report::plot {

/// A text with what HTML and SVG would take for markup made harmless, for contents and quoted attributes
/// alike.
std::string escaped(std::string_view text);

/// `<tag attributes>content</tag>`; the content and the attributes are markup already.
std::string element(std::string_view tag, std::string_view attributes, std::string_view content);

/// A coordinate in units of the drawing, to a tenth.
std::string coordinate(double value);

/// A value for people: four significant digits.
std::string value_text(double value);

}  // namespace popflow::report::plot
