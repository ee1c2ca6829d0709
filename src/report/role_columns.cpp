// SPDX-License-Identifier: MIT
#include "report/role_columns.hpp"

#include "core/label_list.hpp"
#include "core/text.hpp"
#include "screen/splits.hpp"

namespace popflow::report {

RoleColumns role_columns(const std::string& config) {
    RoleColumns columns;
    for (const std::string& line : core::split_text(config, '\n')) {
        const std::vector<std::string> parts = core::split_text(line, '=');
        if (parts.size() < 3 || parts[0] != "column") continue;
        // The name of a column may contain '='.
        const std::size_t name = line.find('=', line.find('=') + 1) + 1;
        columns[parts[1]] = line.substr(name);
    }
    return columns;
}

std::string column_of(const RoleColumns& columns, const std::string& role) {
    const auto at = columns.find(role);
    return at == columns.end() ? role : at->second;
}

std::string split_title(const std::string& split, const RoleColumns& columns) {
    const core::LabelHead form = core::split_head("split", split);
    if (screen::is_leave_one_out(split)) {
        const std::string role = screen::unit_column(split);
        const std::string column = column_of(columns, role);
        return column == role ? split : "each:" + column + " (column of the role " + role + ")";
    }
    const auto at = columns.find(form.head);
    if (!form.rest || at == columns.end() || at->second == form.head) return split;
    return at->second + ":" + *form.rest + " (column of the role " + form.head + ")";
}

}  // namespace popflow::report
