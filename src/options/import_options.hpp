// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "import/import_plan.hpp"
#include "options/option_table.hpp"

namespace popflow::options {

/// What `import` is asked for.
struct ImportConfig {
    std::string config_file;
    std::string output;
    data_import::ImportOptions import;
};

/// The options of `import`; they refer to the configuration, which must outlive the table.
OptionTable import_options(ImportConfig& config);

}  // namespace popflow::options
