// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "image/png_file.hpp"
#include "options/option_table.hpp"

namespace popflow::options {

/// Configuration of `export`.
struct ExportConfig {
    std::string config_file;
    std::string data;
    std::string images;  ///< folder to write to
    std::string layer;   ///< layer to read instead of X, may be empty
    image::PngDepth bits = image::PngDepth::bits8;
    std::vector<std::string> population;  ///< columns of obs that tell the images apart; empty: default
};

/// Returns the options of `export`. They refer to the configuration, which must outlive the table.
OptionTable export_options(ExportConfig& config);

}  // namespace popflow::options
