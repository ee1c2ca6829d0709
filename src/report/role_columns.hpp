// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

namespace popflow::report {

/// obs columns of roles that were mapped with --column ROLE=NAME. A role without an entry has the column of
/// its own name.
using RoleColumns = std::map<std::string, std::string>;

/// Reads the mapped columns from a resolved configuration, one line `column = ROLE=NAME` for each.
RoleColumns role_columns(const std::string& config);

/// Returns the obs column of a role.
std::string column_of(const RoleColumns& columns, const std::string& role);

/// Returns the split as a heading that names the column it splits by: `patient:21`, or
/// `cell_line:MCF7 (column of the role patient)` if the role is mapped to that column.
std::string split_title(const std::string& split, const RoleColumns& columns);

}  // namespace popflow::report
