// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "import/import_plan.hpp"
#include "options/option_table.hpp"

namespace popflow::options {

/// Configuration of `import`.
struct ImportConfig {
    std::string config_file;
    std::string output;
    data_import::ImportOptions import;
};

/// Returns the options of `import`. They refer to the configuration, which must outlive the table.
OptionTable import_options(ImportConfig& config);

}  // namespace popflow::options
