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

/// Returns the name of the obs column of a role.
std::string column_of(const ScreenOptions& options, const std::string& role) {
    const auto mapped = options.columns.find(role);
    return mapped == options.columns.end() ? role : mapped->second;
}

/// Checks that obs has a column. `advice` completes the message.
void check_present(const anndata::AnnData& data, const std::string& column, const std::string& advice = "") {
    if (data.has_obs(column)) return;
    const std::vector<std::string> names = data.obs_columns();
    throw core::DataError(data.file(), "obs/" + column,
                          names.empty() ? "is missing: obs has no columns"
                                        : "is missing" + core::did_you_mean(column, names) + ", found " +
                                              core::joined(names) + advice);
}

}  // namespace

std::vector<std::string> all_role_names() {
    std::vector<std::string> names(role_names.begin(), role_names.end());
    names.emplace_back(vehicle_role);
    return names;
}

ScreenColumns::ScreenColumns(const anndata::AnnData& data, const ScreenOptions& options) {
    read_control_labels(options.control_labels);
    find_roles(data, options);
    find_pairing(data, options);
    find_exclusions(data, options);
    if (!options.split_column.empty()) split_ = named_column(data, options, options.split_column);
    const std::string vehicle = column_of(options, vehicle_role);
    if (!vehicle.empty() && data.has_obs(vehicle)) vehicle_ = add(vehicle);
}

/// Reads labels and entries `TREATMENT=VEHICLE`. Entries without any label keep the default labels.
void ScreenColumns::read_control_labels(const std::vector<std::string>& labels) {
    bool has_label = false;
    for (const std::string& label : labels) {
        control_labels_.push_back(label);
        const std::size_t equals = label.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == label.size()) {
            has_label = true;
            continue;
        }
        named_vehicles_[label.substr(0, equals)] = label.substr(equals + 1);
        control_labels_.push_back(label.substr(equals + 1));
    }
    if (has_label) return;
    const std::vector<std::string> defaults = ScreenOptions().control_labels;
    control_labels_.insert(control_labels_.end(), defaults.begin(), defaults.end());
}

/// Returns the position of a column in names(). Adds the column if it is new.
std::size_t ScreenColumns::add(const std::string& name) {
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known != names_.end()) return static_cast<std::size_t>(known - names_.begin());
    names_.push_back(name);
    return names_.size() - 1;
}

void ScreenColumns::find_roles(const anndata::AnnData& data, const ScreenOptions& options) {
    const std::vector<std::string> roles = all_role_names();
    for (const auto& [role, column] : options.columns) {
        if (std::ranges::find(roles, role) == roles.end()) {
            throw core::ConfigError("column", "found role `" + role + "`, allowed " + core::joined(roles));
        }
        if (column.empty() || role == role_names[static_cast<std::size_t>(Role::treatment)]) continue;
        if (role == vehicle_role && !options.need_pairs) continue;
        check_present(data, column, ". --column " + role + "= switches the role off");
    }
    find_treatments(data, options);
    for (std::size_t k = 0; k < role_names.size(); ++k) {
        const std::string column = column_of(options, role_names[k]);
        roles_[k] = add(!column.empty() && data.has_obs(column) ? column : "");
    }
}

/// Checks that there is a column of treatments, unless all cells are controls.
void ScreenColumns::find_treatments(const anndata::AnnData& data, const ScreenOptions& options) {
    const std::string column = column_of(options, "treatment");
    has_treatments_ = !column.empty() && data.has_obs(column);
    if (has_treatments_ || options.all_are_controls) return;
    if (column.empty())
        throw core::ConfigError("column",
                                "found `treatment=`, which switches the treatments off: only popflow predict "
                                "with --treatment can read a file of controls");
    check_present(
        data, column,
        ". Name the column that holds the treatments with --column treatment=COLUMN" +
            std::string(options.need_pairs ? "" : ", or predict a file of controls with --treatment"));
}

/// Returns the position of a required column, given as a role or as the name of an obs column.
std::size_t ScreenColumns::named_column(const anndata::AnnData& data, const ScreenOptions& options,
                                        const std::string& name) {
    const std::string column = role_index(name) ? column_of(options, name) : name;
    if (column.empty())
        throw core::ConfigError("column", "found `" + name +
                                              "=`, which switches off a role that --pair-by, --exclude or "
                                              "--split names");
    check_present(data, column);
    return add(column);
}

void ScreenColumns::find_pairing(const anndata::AnnData& data, const ScreenOptions& options) {
    if (options.pair_by.empty()) throw core::ConfigError("pair-by", "found no column, allowed one or more");
    const bool is_default = options.pair_by == ScreenOptions().pair_by;
    for (const std::string& name : options.pair_by) {
        if (name == "treatment" || name == "concentration") {
            throw core::ConfigError("pair-by",
                                    "found " + name + ", which differs within an experiment, allowed " +
                                        "patient, culture, plate, replicate or another column of obs");
        }
        // Columns that the user names are required. The default keys are optional.
        const std::optional<std::size_t> role = role_index(name);
        pair_by_.push_back(is_default && role ? roles_[*role] : named_column(data, options, name));
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

const std::string& ScreenColumns::treatment(const RowKeys& keys, std::size_t key) const {
    static const std::string only_controls = only_controls_label;
    return has_treatments_ ? keys.label(key, column(Role::treatment)) : only_controls;
}

bool ScreenColumns::is_control(const std::string& treatment) const {
    return !has_treatments_ || std::ranges::find(control_labels_, treatment) != control_labels_.end();
}

std::string ScreenColumns::exclusion_reason(const RowKeys& keys, std::size_t key) const {
    for (const Exclusion& exclusion : exclusions_) {
        if (exclusion.matches(keys, key)) return "excluded by " + exclusion.text;
    }
    std::vector<std::size_t> needed = pair_by_;
    needed.push_back(column(Role::treatment));
    if (!is_control(treatment(keys, key))) needed.push_back(column(Role::concentration));
    for (const std::size_t position : needed) {
        if (keys.is_missing(key, position)) return missing_label_prefix + names_[position];
    }
    return "";
}

std::vector<std::string> ScreenColumns::population_values(const RowKeys& keys, std::size_t key) const {
    std::vector<std::string> values;
    for (const std::size_t position : pair_by_) values.push_back(keys.label(key, position));
    values.push_back(treatment(keys, key));
    values.push_back(core::plain_label(keys.label(key, column(Role::concentration))));
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
