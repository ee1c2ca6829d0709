// SPDX-License-Identifier: MIT
#include "screen/screen_columns.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

std::optional<std::size_t> role_index(const std::string& name) {
    const auto found = std::find(role_names.begin(), role_names.end(), name);
    if (found == role_names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - role_names.begin());
}

/// The obs column that plays a role.
std::string column_of(const ScreenOptions& options, const std::string& role) {
    const auto mapped = options.columns.find(role);
    return mapped == options.columns.end() ? role : mapped->second;
}

void check_present(const anndata::AnnData& data, const std::string& column) {
    if (!data.has_obs(column)) (void)data.obs(column);  // says what is nearest
}

}  // namespace

ScreenColumns::ScreenColumns(const anndata::AnnData& data, const ScreenOptions& options)
    : control_labels_(options.control_labels) {
    find_roles(data, options);
    find_pairing(data, options);
    find_exclusions(data, options);
    if (!options.split_column.empty()) split_ = named_column(data, options, options.split_column);
}

/// Position of a column in names(); each is there once.
std::size_t ScreenColumns::add(const std::string& name) {
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known != names_.end()) return static_cast<std::size_t>(known - names_.begin());
    names_.push_back(name);
    return names_.size() - 1;
}

void ScreenColumns::find_roles(const anndata::AnnData& data, const ScreenOptions& options) {
    for (const auto& [role, column] : options.columns) {
        if (!role_index(role)) {
            throw core::ConfigError("column", "found role `" + role + "`, allowed " +
                                                  core::joined({role_names.begin(), role_names.end()}));
        }
        check_present(data, column);
    }
    check_present(data, column_of(options, "treatment"));
    for (std::size_t k = 0; k < role_names.size(); ++k) {
        const std::string column = column_of(options, role_names[k]);
        roles_[k] = add(data.has_obs(column) ? column : "");
    }
}

/// A role, or a column of obs that must be there.
std::size_t ScreenColumns::named_column(const anndata::AnnData& data, const ScreenOptions& options,
                                        const std::string& name) {
    const std::string column = role_index(name) ? column_of(options, name) : name;
    check_present(data, column);
    return add(column);
}

void ScreenColumns::find_pairing(const anndata::AnnData& data, const ScreenOptions& options) {
    if (options.pair_by.empty()) throw core::ConfigError("pair-by", "found no column, allowed one or more");
    const bool usual = options.pair_by == ScreenOptions().pair_by;
    for (const std::string& name : options.pair_by) {
        if (name == "treatment" || name == "concentration" || name == "cell_type") {
            throw core::ConfigError("pair-by", "found " + name +
                                                   ", which differs within an experiment; allowed " +
                                                   "patient, culture, plate, replicate or a column of obs");
        }
        // What the user named must be there; of the usual keys those that the file has do.
        const std::optional<std::size_t> role = role_index(name);
        pair_by_.push_back(usual && role ? roles_[*role] : named_column(data, options, name));
    }
}

void ScreenColumns::find_exclusions(const anndata::AnnData& data, const ScreenOptions& options) {
    for (const std::string& text : options.exclude) {
        Exclusion exclusion{text, {}};
        for (const std::string& condition : core::split_text(text, ',')) {
            const std::size_t equals = condition.find('=');
            if (equals == std::string::npos || equals == 0) {
                throw core::ConfigError("exclude",
                                        "found `" + text + "`, allowed COLUMN=VALUE[,COLUMN=VALUE...]");
            }
            exclusion.conditions.emplace_back(named_column(data, options, condition.substr(0, equals)),
                                              condition.substr(equals + 1));
        }
        if (exclusion.conditions.empty()) {
            throw core::ConfigError("exclude", "found nothing, allowed COLUMN=VALUE[,COLUMN=VALUE...]");
        }
        exclusions_.push_back(std::move(exclusion));
    }
}

bool ScreenColumns::Exclusion::matches(const RowKeys& keys, std::size_t key) const {
    return std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        return keys.label(key, condition.first) == condition.second;
    });
}

bool ScreenColumns::is_control(const std::string& treatment) const {
    return std::ranges::find(control_labels_, treatment) != control_labels_.end();
}

std::string ScreenColumns::why_left_out(const RowKeys& keys, std::size_t key) const {
    for (const Exclusion& exclusion : exclusions_) {
        if (exclusion.matches(keys, key)) return "excluded by " + exclusion.text;
    }
    std::vector<std::size_t> needed = pair_by_;
    needed.push_back(of(Role::treatment));
    if (!is_control(keys.label(key, of(Role::treatment)))) needed.push_back(of(Role::concentration));
    for (const std::size_t column : needed) {
        if (keys.missing(key, column)) return missing_label_prefix + names_[column];
    }
    return "";
}

std::vector<std::string> ScreenColumns::population(const RowKeys& keys, std::size_t key) const {
    std::vector<std::string> values;
    for (const std::size_t column : pair_by_) values.push_back(keys.label(key, column));
    values.push_back(keys.label(key, of(Role::treatment)));
    values.push_back(core::plain_label(keys.label(key, of(Role::concentration))));
    return values;
}

std::vector<bool> ScreenColumns::exclusions_used(const RowKeys& keys) const {
    std::vector<bool> used;
    for (const Exclusion& exclusion : exclusions_) {
        bool matched = false;
        for (std::size_t key = 0; key < keys.size(); ++key) matched = matched || exclusion.matches(keys, key);
        used.push_back(matched);
    }
    return used;
}

}  // namespace popflow::screen
