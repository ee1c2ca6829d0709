// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace popflow::report {

/// Table of data/published, compiled into the program, which then needs no file.
struct BuiltinTable {
    const char* name;
    const char* csv;
};

/// All built-in tables. Defined in a generated source file.
const std::vector<BuiltinTable>& builtin_tables();

}  // namespace popflow::report
