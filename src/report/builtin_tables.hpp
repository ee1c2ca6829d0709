// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace popflow::report {

/// A table of data/published, compiled into the program so that it is found wherever that runs.
struct BuiltinTable {
    const char* name;
    const char* csv;
};

const std::vector<BuiltinTable>& builtin_tables();

}  // namespace popflow::report
