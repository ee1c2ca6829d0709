// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "options/option_table.hpp"

namespace popflow::options {

/// Configuration of `export`.
struct ExportConfig {
    std::string config_file;
    std::string data;
    std::string images;                   ///< folder to write to
    std::string layer;                    ///< layer to read instead of X, may be empty
    std::vector<std::string> population;  ///< columns of obs that tell the images apart; empty: default
};

/// Returns the options of `export`. They refer to the configuration, which must outlive the table.
OptionTable export_options(ExportConfig& config);

}  // namespace popflow::options
