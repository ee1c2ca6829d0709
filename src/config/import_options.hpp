// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "config/option_table.hpp"
#include "data/import_plan.hpp"

namespace popflow::config {

/// What `import` is asked for.
struct ImportConfig {
    std::string config_file;
    std::string output;
    data::ImportOptions import;
};

/// The options of `import`; they refer to the configuration, which must outlive the table.
OptionTable import_options(ImportConfig& config);

}  // namespace popflow::config
