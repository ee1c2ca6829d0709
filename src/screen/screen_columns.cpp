// SPDX-License-Identifier: MIT
#include "screen/screen_columns.hpp"

#include <algorithm>

#include "core/dose.hpp"
#include "core/error.hpp"
#include "core/label_list.hpp"
#include "core/label_match.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

std::optional<std::size_t> role_index(const std::string& name) {
    const auto found = std::find(role_names.begin(), role_names.end(), name);
    if (found == role_names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - role_names.begin());
}

/// Returns the obs column that the options name for a role, empty if the role is switched off.
std::string column_of(const ScreenOptions& options, const std::string& role) {
    const auto mapped = options.columns.find(role);
    return mapped == options.columns.end() ? role : mapped->second;
}

/// Returns the distinct labels of a column. Reads it unless it is categorical.
std::vector<std::string> distinct_labels(const anndata::AnnData& data, const std::string& name) {
    anndata::LabelColumn column = data.obs(name);
    if (!column.labels().empty()) return column.labels();  // categories
    std::vector<std::int32_t> codes;
    for (std::size_t first = 0; first < column.rows(); first += RowKeys::block_rows) {
        codes.resize(std::min(RowKeys::block_rows, column.rows() - first));
        column.read_codes(first, codes);
    }
    return column.labels();
}

/// Returns whether a categorical column has no label but missing ones. Other columns are not read.
bool has_no_label(const anndata::AnnData& data, const std::string& name) {
    const anndata::LabelColumn column = data.obs(name);
    return !column.labels().empty() && std::ranges::all_of(column.labels(), core::is_missing_label);
}

const char* const exclude_form = "Give COLUMN=VALUE[,COLUMN=VALUE...]";

/// Checks that obs has a column. `advice` completes the message.
void check_present(const anndata::AnnData& data, const std::string& column, const std::string& advice = "") {
    if (data.has_obs(column)) return;
    const std::vector<std::string> names = data.obs_columns();
    throw core::DataError(data.file(), "obs/" + column,
                          names.empty() ? "is missing: obs has no columns"
                                        : "is missing" + core::did_you_mean(column, names) + ", found " +
                                              core::joined(names) + advice);
}

/// Checks that the column of a split is not the start of a name with a colon, which needs quotes.
void check_quoted(const anndata::AnnData& data, const std::string& column) {
    if (role_index(column) || data.has_obs(column)) return;
    for (const std::string& name : data.obs_columns()) {
        if (!name.starts_with(column + ":")) continue;
        throw core::ConfigError("split", "obs has no column '" + column + "', but '" + name +
                                             "': put a name with a colon in double quotes, as in \"" + name +
                                             "\":VALUE");
    }
}

}  // namespace

std::vector<std::string> all_role_names() {
    std::vector<std::string> names(role_names.begin(), role_names.end());
    names.emplace_back(vehicle_role);
    return names;
}

ScreenColumns::ScreenColumns(const anndata::AnnData& data, const ScreenOptions& options, bool is_resolved)
    : is_resolved_(is_resolved) {
    read_control_labels(options.control_labels);
    find_roles(data, options);
    find_controls(data, options);
    find_pairing(data, options);
    find_exclusions(data, options);
    if (!options.split_column.empty()) {
        check_quoted(data, options.split_column);
        split_ = named_column(data, options, options.split_column);
    }
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

void ScreenColumns::note(const std::string& text) {
    if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(text);
}

/// Returns the obs column that a name means: the column of that name, or one that differs in capitals and
/// blanks. Returns the name itself if there is neither.
std::string ScreenColumns::find_name(const anndata::AnnData& data, const std::string& name) {
    if (data.has_obs(name)) return name;
    const auto found = core::match_label("column", name, data.obs_columns());
    if (!found) return name;
    note("took the column '" + *found + "' of obs for '" + name + "'");
    return *found;
}

/// Returns the name of the obs column of a role, empty if the role is switched off.
std::string ScreenColumns::find_column(const anndata::AnnData& data, const ScreenOptions& options,
                                       const std::string& role) {
    const std::string name = column_of(options, role);
    return name.empty() ? name : find_name(data, name);
}

void ScreenColumns::find_roles(const anndata::AnnData& data, const ScreenOptions& options) {
    const std::vector<std::string> roles = all_role_names();
    for (const auto& [role, column] : options.columns) {
        if (std::ranges::find(roles, role) == roles.end()) {
            throw core::ConfigError("column",
                                    "found role `" + role + "`. Give one of " + core::joined(roles));
        }
        if (column.empty() || role == role_names[static_cast<std::size_t>(Role::treatment)]) continue;
        if (role == vehicle_role && !options.need_pairs) continue;
        check_present(data, find_name(data, column), ". --column " + role + "= switches the role off");
    }
    find_treatments(data, options);
    for (std::size_t k = 0; k < role_names.size(); ++k) {
        const std::string column = find_column(data, options, role_names[k]);
        bool is_used = !column.empty() && data.has_obs(column);
        // A column without any label is like none. One that an option names is kept, so that its rows are
        // reported.
        const bool is_named = options.columns.contains(role_names[k]) ||
                              role_names[k] == std::string("treatment") ||
                              options.pair_by != ScreenOptions().pair_by;
        if (is_used && !is_named && has_no_label(data, column)) {
            note("the column '" + column + "' of obs has no label and counts as one value");
            is_used = false;
        }
        roles_[k] = add(is_used ? column : "");
    }
}

/// Checks that there is a column of treatments, unless all cells are controls.
void ScreenColumns::find_treatments(const anndata::AnnData& data, const ScreenOptions& options) {
    const std::string column = find_column(data, options, "treatment");
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
    const bool is_role = role_index(name).has_value() && !options.pairs_by_any_column;
    const std::string column = is_role ? find_column(data, options, name) : find_name(data, name);
    if (column.empty())
        throw core::ConfigError("column", "found `" + name +
                                              "=`, which switches off a role that --pair-by, --exclude or "
                                              "--split names");
    check_present(data, column);
    return add(column);
}

/// Replaces labels of controls by those of the file. A label that the user did not name is replaced only if
/// no treatment has the exact label of a control.
void ScreenColumns::find_controls(const anndata::AnnData& data, const ScreenOptions& options) {
    if (is_resolved_ || !has_treatments_) return;
    const std::vector<std::string> labels = distinct_labels(data, names_[column(Role::treatment)]);
    control_labels_ = core::rejoin_labels(control_labels_, labels);
    const auto is_exact = [&](const std::string& label) {
        return std::ranges::find(labels, label) != labels.end();
    };
    const bool is_default = options.control_labels == ScreenOptions().control_labels;
    if (is_default && std::ranges::any_of(control_labels_, is_exact)) return;
    for (std::string& label : control_labels_) {
        const auto found = core::match_label("control", label, labels);
        if (!found || *found == label) continue;
        note(core::match_note("control", label, *found));
        for (auto& [treatment, vehicle] : named_vehicles_) {
            if (vehicle == label) vehicle = *found;
        }
        label = *found;
    }
}

void ScreenColumns::find_pairing(const anndata::AnnData& data, const ScreenOptions& options) {
    if (options.pair_by.empty()) throw core::ConfigError("pair-by", "found no column. Give one or more");
    const bool is_default = options.pair_by == ScreenOptions().pair_by;
    for (const std::string& name : options.pair_by) {
        if (options.pairs_by_any_column) {
            const std::string column = find_name(data, name);
            check_present(data, column);
            pair_by_.push_back(add(column));
            continue;
        }
        if (name == "treatment" || name == "concentration") {
            throw core::ConfigError("pair-by",
                                    "found " + name + ", which differs within an experiment. Give " +
                                        "patient, culture, plate, replicate or another column of obs");
        }
        // Columns that the user names are required. The default keys are optional.
        const std::optional<std::size_t> role = role_index(name);
        const std::size_t position = is_default && role ? roles_[*role] : named_column(data, options, name);
        if (has_treatments_ && position == column(Role::treatment)) {
            throw core::ConfigError(
                "pair-by", "found " + name + ", which is the column of the treatments, '" + names_[position] +
                               "': a control and its treatments differ in it, so pairs need "
                               "other columns, such as patient, culture, plate or replicate");
        }
        pair_by_.push_back(position);
    }
    if (!options.unpaired) return;
    for (const std::string& name : options.population_columns) {
        const std::size_t position = named_column(data, options, name);
        if (std::ranges::find(pair_by_, position) == pair_by_.end()) pair_by_.push_back(position);
    }
}

void ScreenColumns::find_exclusions(const anndata::AnnData& data, const ScreenOptions& options) {
    for (const std::string& text : options.exclude) {
        Exclusion exclusion{text, {}};
        std::vector<std::vector<std::string>> values;
        for (const auto& [name, value] : core::split_assignments("exclude", text)) {
            if (!name.empty()) {
                exclusion.conditions.emplace_back(named_column(data, options, name), value);
                values.push_back({value});
            } else if (values.empty()) {
                throw core::ConfigError("exclude", "found `" + text + "`. " + exclude_form);
            } else {
                values.back().push_back(value);
            }
        }
        if (exclusion.conditions.empty())
            throw core::ConfigError("exclude", std::string("found nothing. ") + exclude_form);
        for (std::size_t k = 0; k < values.size(); ++k) {
            auto& [position, label] = exclusion.conditions[k];
            if (is_resolved_ || (values[k].size() == 1 && label.empty())) continue;
            const std::vector<std::string> labels = distinct_labels(data, names_[position]);
            // Items without a column are the rest of a label with commas.
            std::string close = label;
            std::string apart = label;
            for (std::size_t i = 1; i < values[k].size(); ++i) {
                close += "," + values[k][i];
                apart += ", " + values[k][i];
            }
            for (const std::string& joined : {close, apart}) {
                if (std::ranges::find(labels, joined) != labels.end()) values[k] = {joined};
            }
            if (values[k].size() > 1)
                throw core::ConfigError(
                    "exclude",
                    "found `" + text + "`. " + exclude_form +
                        (values[k].back().empty() ? ""
                                                  : ". Put a value with a comma in double quotes, and "
                                                    "give --exclude once for each value"));
            const auto found = core::match_label("exclude", values[k].front(), labels);
            if (found && *found != values[k].front())
                note(core::match_note("exclude", values[k].front(), *found));
            label = found.value_or(values[k].front());
        }
        exclusions_.push_back(std::move(exclusion));
    }
}

ScreenOptions ScreenColumns::resolved(const ScreenOptions& options) const {
    ScreenOptions exact = options;
    exact.control_labels = control_labels_;
    exact.exclude.clear();
    for (const Exclusion& exclusion : exclusions_) {
        std::vector<std::string> conditions;
        for (const auto& [position, label] : exclusion.conditions)
            conditions.push_back(names_[position] + "=" + label);
        exact.exclude.push_back(core::list_text(conditions));
    }
    return exact;
}

bool ScreenColumns::Exclusion::matches(const RowKeys& keys, std::size_t key) const {
    return std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        const std::string& label = keys.label(key, condition.first);
        return label == condition.second || (condition.second.empty() && core::is_missing_label(label));
    });
}

const std::string& ScreenColumns::treatment(const RowKeys& keys, std::size_t key) const {
    static const std::string only_controls = only_controls_label;
    return has_treatments_ ? keys.label(key, column(Role::treatment)) : only_controls;
}

bool ScreenColumns::is_control(const std::string& treatment) const {
    return !has_treatments_ || std::ranges::find(control_labels_, treatment) != control_labels_.end();
}

bool ScreenColumns::is_missing(const RowKeys& keys, std::size_t key, std::size_t position) const {
    if (names_[position].empty()) return false;
    if (keys.is_missing(key, position)) return true;
    const std::string& label = keys.label(key, position);
    return core::is_missing_label(label) && !(position == column(Role::treatment) && is_control(label));
}

std::string ScreenColumns::label(const RowKeys& keys, std::size_t key, std::size_t position) const {
    return is_missing(keys, key, position) ? "" : keys.label(key, position);
}

std::string ScreenColumns::concentration(const RowKeys& keys, std::size_t key) const {
    std::string text = label(keys, key, column(Role::concentration));
    return core::label_number(text) ? text : core::plain_dose(text);
}

std::string ScreenColumns::exclusion_reason(const RowKeys& keys, std::size_t key) const {
    for (const Exclusion& exclusion : exclusions_) {
        if (exclusion.matches(keys, key)) return "excluded by " + exclusion.text;
    }
    std::vector<std::size_t> needed = pair_by_;
    needed.push_back(column(Role::treatment));
    if (!is_control(treatment(keys, key))) needed.push_back(column(Role::concentration));
    for (const std::size_t position : needed) {
        if (is_missing(keys, key, position)) return missing_label_prefix + names_[position];
    }
    return "";
}

std::vector<std::string> ScreenColumns::population_values(const RowKeys& keys, std::size_t key) const {
    std::vector<std::string> values;
    for (const std::size_t position : pair_by_) values.push_back(label(keys, key, position));
    values.push_back(treatment(keys, key));
    values.push_back(core::plain_label(concentration(keys, key)));
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
