// SPDX-License-Identifier: MIT
#include "report/grouping.hpp"

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

namespace {

// Returns the columns of labels of the pairs. Their other columns have one value for each predictor.
std::vector<std::string> label_columns(const h5::DataFrame& pairs) {
    constexpr std::array excluded{"part", "predictor", "status", "message"};
    std::vector<std::string> names;
    for (const h5::DataFrame::Column& column : pairs.columns()) {
        if (std::holds_alternative<h5::DataFrame::Strings>(column.values) &&
            std::ranges::find(excluded, column.name) == excluded.end())
            names.push_back(column.name);
    }
    return names;
}

}  // namespace

void group_by(eval::Results& results, const std::string& name) {
    const RoleColumns columns = role_columns(results.provenance.config);
    const std::vector<std::string> labels = label_columns(results.pairs);
    std::vector<std::string> allowed;
    for (const std::string& label : labels) {
        allowed.push_back(column_of(columns, label));
        if (allowed.back() != name) continue;
        results.grouping = {.column = label, .name = name, .is_chosen = true};
        results.summary = eval::summarise(results.pairs, results.grouping);
        return;
    }
    if (std::ranges::find(labels, name) != labels.end()) {
        results.grouping = {.column = name, .name = column_of(columns, name), .is_chosen = true};
        results.summary = eval::summarise(results.pairs, results.grouping);
        return;
    }
    throw core::ConfigError("by", "found '" + name + "'" + core::did_you_mean(name, allowed) +
                                      ", which is no column of the pairs of " + results.file +
                                      ". Give one of " + core::joined(allowed));
}

}  // namespace popflow::report
