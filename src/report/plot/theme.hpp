// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::report::plot {

/// Returns the style sheet of drawings, with the colours as CSS variables. page() defines these variables for
/// the light and the dark theme.
std::string drawing_style();

/// Returns the style sheet of drawings with the colours of the light theme, for a file of its own. Readers of
/// SVG files do not support CSS variables.
std::string light_drawing_style();

/// Returns the definitions of the CSS variables of a theme, as in `--page: #ffffff; --ink: #1c2024;`.
std::string theme_variables(bool dark);

}  // namespace popflow::report::plot
