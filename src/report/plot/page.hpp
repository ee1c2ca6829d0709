// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::report::plot {

/// A whole HTML page that needs nothing from elsewhere, with the style of charts and tables in a light and a
/// dark theme, as the reader's system prefers. @param body  markup
std::string page(const std::string& title, const std::string& body);

}  // namespace popflow::report::plot
