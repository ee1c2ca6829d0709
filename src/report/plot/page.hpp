// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::report::plot {

/// Returns a complete, self-contained HTML page with the style of charts and tables. It has a light and a
/// dark theme and follows the system setting.
/// @param body  HTML
std::string page(const std::string& title, const std::string& body);

}  // namespace popflow::report::plot
