// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::report {

enum class FigureFormat : std::uint8_t { svg, pdf, png };

/// Names of the formats, in the order of FigureFormat. They are also the extensions of the files.
const std::vector<std::string>& figure_format_names();

/// Checks that this build of the program and this machine can write a format.
/// @throws core::ConfigError{figure-format} for pdf and png without librsvg
void check_figure_format(FigureFormat format);

/// Converts an SVG file. Returns svg unchanged. A pixel of the SVG file is 1/96 inch. PNG has 300 pixels per
/// inch.
/// @throws core::ConfigError as check_figure_format(), core::Error if the conversion fails
std::string convert_figure(const std::string& svg, FigureFormat format);

}  // namespace popflow::report
