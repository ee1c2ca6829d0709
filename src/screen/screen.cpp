// SPDX-License-Identifier: MIT
#include "screen/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "anndata/anndata.hpp"
#include "core/dose.hpp"
#include "core/error.hpp"
#include "core/label_match.hpp"
#include "core/text.hpp"
#include "screen/marker_choice.hpp"
#include "screen/nothing_kept.hpp"
#include "screen/row_keys.hpp"
#include "screen/screen_columns.hpp"
#include "screen/screen_draft.hpp"
#include "screen/vehicles.hpp"

namespace popflow::screen {

namespace {

std::string experiment_label(const std::vector<std::string>& values) {
    std::string label;
    for (const std::string& value : values) {
        if (!value.empty()) label += (label.empty() ? "" : " / ") + value;
    }
    return label.empty() ? "all cells" : label;
}

std::string dose_label(const Population& population) {
    return population.treatment + (population.concentration.empty() ? "" : " at " + population.concentration);
}

/// Drops the populations of an experiment that are below the minimum size. Returns the others.
std::vector<PopulationDraft> keep_large_populations(Screen& screen, const std::string& experiment,
                                                    const std::vector<PopulationDraft>& drafts) {
    std::vector<PopulationDraft> kept;
    for (const PopulationDraft& draft : drafts) {
        if (draft.population.n_cells >= screen.options.min_cells) {
            kept.push_back(draft);
            continue;
        }
        screen.dropped.push_back({Dropped::Kind::population, experiment + ": " + dose_label(draft.population),
                                  draft.population.n_cells,
                                  fmt::format("fewer than {} cells", screen.options.min_cells)});
    }
    std::sort(kept.begin(), kept.end(), [](const PopulationDraft& a, const PopulationDraft& b) {
        const auto order = [](const Population& p) {
            return std::tie(p.treatment, p.concentration_value, p.concentration);
        };
        return order(a.population) < order(b.population);
    });
    return kept;
}

/// Returns why an experiment with these populations is dropped, or an empty text if it is kept.
std::string drop_reason(const std::vector<PopulationDraft>& kept, const ScreenOptions& options) {
    const auto is_control = [](const PopulationDraft& draft) { return draft.population.control; };
    const std::string size = fmt::format(" of {} cells or more", options.min_cells);
    if (kept.empty()) return "no population" + size;
    if (options.unpaired) return "";
    if (std::none_of(kept.begin(), kept.end(), is_control)) return "no control" + size;
    if (options.need_pairs && std::all_of(kept.begin(), kept.end(), is_control)) return "no treatment" + size;
    return "";
}

/// Drops the treated populations whose own vehicle is not among the kept controls of their experiment.
void keep_paired_populations(Screen& screen, const std::string& experiment, const ScreenColumns& columns,
                             std::vector<PopulationDraft>& kept) {
    if (screen.options.vehicles == Vehicles::pool || !screen.options.need_pairs) return;
    std::set<std::string> controls;
    for (const PopulationDraft& draft : kept) {
        if (draft.population.control) controls.insert(draft.population.treatment);
    }
    if (controls.empty()) return;
    std::erase_if(kept, [&](const PopulationDraft& draft) {
        const Population& population = draft.population;
        if (population.control) return false;
        const std::optional<std::string> vehicle = required_vehicle(population, columns);
        if (!vehicle || controls.contains(*vehicle)) return false;
        screen.dropped.push_back(
            {Dropped::Kind::population, experiment + ": " + dose_label(population), population.n_cells,
             fmt::format("no control {} of {} cells or more, the vehicle of this treatment", *vehicle,
                         screen.options.min_cells)});
        return true;
    });
}

/// Moves the usable experiments into the screen and lists the others as dropped. Returns the keys of each
/// kept population.
std::vector<std::vector<std::size_t>> keep_experiments(Screen& screen, const ScreenDraft& draft,
                                                       const ScreenColumns& columns) {
    std::vector<std::vector<std::size_t>> keys;
    for (const auto& [values, drafts] : draft.experiments) {
        Experiment experiment{experiment_label(values), values, {}};
        screen.populations_found += drafts.size();
        std::vector<PopulationDraft> kept = keep_large_populations(screen, experiment.label, drafts);
        keep_paired_populations(screen, experiment.label, columns, kept);
        const std::string why = drop_reason(kept, screen.options);
        if (!why.empty()) {
            std::size_t n_cells = 0;
            for (const PopulationDraft& population : kept) n_cells += population.population.n_cells;
            screen.dropped.push_back({Dropped::Kind::experiment, experiment.label, n_cells, why});
            continue;
        }
        for (const PopulationDraft& population : kept) {
            experiment.populations.push_back(screen.populations.size());
            screen.populations.push_back(population.population);
            screen.populations.back().experiment = screen.experiments.size();
            keys.push_back(population.keys);
        }
        screen.experiments.push_back(std::move(experiment));
    }
    screen.experiments_found = draft.experiments.size();
    return keys;
}

void make_pairs(Screen& screen, const ScreenColumns& columns) {
    std::set<std::string> treatments;
    for (const Experiment& experiment : screen.experiments) {
        for (std::size_t k = 0; k < experiment.populations.size(); ++k) {
            const std::size_t p = experiment.populations[k];
            const Population& population = screen.populations[p];
            if (population.control && !screen.options.unpaired) continue;
            // Doses are ascending, so the highest is the last one of its treatment.
            const bool highest =
                k + 1 == experiment.populations.size() ||
                screen.populations[experiment.populations[k + 1]].treatment != population.treatment;
            if (screen.options.doses == Doses::highest && !highest && !population.control) continue;
            screen.pairs.push_back(
                {screen.options.unpaired ? p : control_of(screen, experiment, population, columns), p});
            treatments.insert(population.treatment);
        }
    }
    screen.treatments.assign(treatments.begin(), treatments.end());
}

void check_concentrations(const Screen& screen, const std::string& column) {
    std::map<std::string, std::set<std::string>> labels;
    for (const Population& population : screen.populations) {
        if (!population.control) labels[population.treatment].insert(population.concentration);
    }
    for (const auto& [treatment, concentrations] : labels) {
        if (concentrations.size() < 2) continue;
        for (const std::string& label : concentrations) {
            if (core::label_number(label)) continue;
            throw core::DataError(
                screen.file, "obs/" + column,
                fmt::format("found `{}` for treatment {}, which has {} concentrations: "
                            "they must be numbers, so that doses have an order. They may have a "
                            "unit: {}",
                            label, treatment, concentrations.size(), core::known_units()));
        }
    }
}

/// Checks that the doses of all treated rows have units that can be converted into each other. Sets the
/// quantity of the doses and notes its unit.
void read_units(Screen& screen, const RowKeys& keys, const ScreenColumns& columns) {
    const std::size_t column = columns.column(Role::concentration);
    std::map<int, std::string> labels;  // the first label of each core::Quantity
    std::string converted;              // a label whose number changes
    for (std::size_t key = 0; key < keys.size(); ++key) {
        if (!columns.exclusion_reason(keys, key).empty() || columns.is_control(columns.treatment(keys, key)))
            continue;
        const std::string label = columns.label(keys, key, column);
        const auto dose = core::parse_dose(label);
        if (!dose || (dose->value == 0 && dose->quantity == core::Quantity::number)) continue;
        labels.emplace(static_cast<int>(dose->quantity), label);
        if (dose->quantity != core::Quantity::number && converted.empty()) converted = label;
    }
    if (labels.size() > 1) {
        throw core::DataError(
            screen.file, "obs/" + columns.names()[column],
            fmt::format("found `{}` and `{}`, which cannot be converted into each other: give all "
                        "doses of the column in units of one kind, or in none",
                        labels.begin()->second, labels.rbegin()->second));
    }
    if (!labels.empty()) screen.dose_quantity = static_cast<core::Quantity>(labels.begin()->first);
    if (!converted.empty())
        screen.notes.push_back(fmt::format("doses with a unit are read in {}, such as '{}' as {}",
                                           core::unit_name(screen.dose_quantity), converted,
                                           core::plain_dose(converted)));
}

/// Notes labels of one column that differ only in capitals and blanks.
void note_similar_labels(Screen& screen, const RowKeys& keys, const ScreenColumns& columns) {
    for (const Role role : {Role::treatment, Role::patient}) {
        const std::size_t column = columns.column(role);
        std::map<std::string, std::string> seen;  // by folded label
        for (std::size_t key = 0; key < keys.size(); ++key) {
            const std::string label = columns.label(keys, key, column);
            const auto at = seen.emplace(core::folded_label(label), label).first;
            if (at->second == label) continue;
            screen.notes.push_back(fmt::format("obs/{}: '{}' and '{}' count as different labels",
                                               columns.names()[column], at->second, label));
            break;
        }
    }
}

void find_cell_types(Screen& screen, const RowKeys& keys,
                     const std::vector<std::vector<std::size_t>>& kept_keys, const ScreenColumns& columns) {
    constexpr std::size_t max_types = std::numeric_limits<std::uint8_t>::max();
    const std::size_t column = columns.column(Role::cell_type);
    std::set<std::string> types;
    for (const auto& population_keys : kept_keys) {
        for (const std::size_t key : population_keys) types.insert(columns.label(keys, key, column));
    }
    if (types.size() > max_types) {
        throw core::DataError(
            screen.file, "obs/" + columns.names()[column],
            fmt::format("found {} cell types, more than {}. Merge some of them, or ignore them with "
                        "--column cell_type=",
                        types.size(), max_types));
    }
    screen.cell_types.assign(types.begin(), types.end());
    for (std::size_t p = 0; p < kept_keys.size(); ++p) {
        std::set<std::uint8_t> own;
        for (const std::size_t key : kept_keys[p]) {
            const auto at = std::ranges::lower_bound(screen.cell_types, columns.label(keys, key, column));
            own.insert(static_cast<std::uint8_t>(at - screen.cell_types.begin()));
        }
        screen.populations[p].cell_types.assign(own.begin(), own.end());
    }
}

// Lists the excluded rows, as the last sentences of an error message.
std::string excluded_rows_note(const Screen& screen) {
    std::string text;
    for (const Dropped& dropped : screen.dropped) {
        if (dropped.kind == Dropped::Kind::rows)
            text += ". " + core::counted(dropped.n_cells, "row") + " left out: " + dropped.why;
    }
    return text;
}

/// Returns why the screen has no control, or an empty text if it has one.
std::string why_no_control(const Screen& screen, const ScreenDraft& draft) {
    std::set<std::string> found;
    for (const auto& [values, drafts] : draft.experiments) {
        for (const PopulationDraft& population : drafts) {
            if (population.population.control) return "";
            found.insert(population.population.treatment);
        }
    }
    if (found.empty()) return "";
    return "found no control among " + core::joined({found.begin(), found.end()}) + ". Control labels are " +
           core::joined(screen.options.control_labels) + ". Name the controls of this file with --control";
}

/// Returns why no population is kept although none needs a control, empty if there is no population at all.
std::string all_too_small(const Screen& screen, const ScreenDraft& draft) {
    std::size_t largest = 0;
    for (const auto& [values, drafts] : draft.experiments) {
        for (const PopulationDraft& population : drafts)
            largest = std::max(largest, population.population.n_cells);
    }
    if (largest == 0) return "";
    return fmt::format(
        "found {}, of which the largest has {}, fewer than --min-cells {}. Give a smaller number",
        core::counted(screen.populations_found, "population"), core::counted(largest, "cell"),
        screen.options.min_cells);
}

std::string fingerprint(const anndata::AnnData& data, const ScreenDraft& draft) {
    core::Digest digest;
    digest.add(draft.obs_digest);
    digest.add(data.x().text());
    digest.add(std::uint64_t{data.n_obs()});
    digest.add(std::uint64_t{data.n_vars()});
    for (const std::string& name : data.var_names()) digest.add(name);
    data.x().add_sample(digest);
    return digest.text();
}

}  // namespace

std::string population_label(const Screen& screen, std::size_t population) {
    const Population& p = screen.populations[population];
    return screen.experiments[p.experiment].label + ": " + dose_label(p);
}

Screen open_screen(const std::string& file, const ScreenOptions& options) {
    Screen screen = survey_screen(file, options);
    if (!screen.nothing_kept.empty())
        throw core::DataError(file, screen.nothing_kept_at, screen.nothing_kept);
    return screen;
}

Screen survey_screen(const std::string& file, const ScreenOptions& options) {
    const anndata::AnnData data(file, options.source);
    if (data.n_obs() == 0)
        throw core::DataError(file, data.x().path(), "found 0 cells. Give a file with cells");
    Screen screen;
    screen.file = file;
    screen.options = options;
    screen.n_obs = data.n_obs();
    screen.n_vars = data.n_vars();
    screen.x_text = data.x().text();
    MarkerChoice choice = choose_markers(data, options);
    screen.markers = std::move(choice.markers);
    screen.marker_cols = std::move(choice.cols);
    data.x().check_columns(screen.marker_cols);

    const ScreenColumns columns(data, options);
    RowKeys keys(data, columns.names());
    check_vehicle_options(options, columns);
    ScreenDraft draft = draft_screen(data, columns, keys);
    if (options.vehicles == Vehicles::pool) pool_controls(draft);
    for (const auto& [why, n_cells] : draft.left_out) {
        screen.dropped.push_back({Dropped::Kind::rows, "rows", n_cells, why});
    }
    const std::vector<bool> used = columns.exclusions_used(keys);
    for (std::size_t k = 0; k < used.size(); ++k) {
        if (!used[k]) screen.notes.push_back("--exclude " + options.exclude[k] + " matches no row");
    }
    screen.notes.insert(screen.notes.end(), columns.notes().begin(), columns.notes().end());
    note_similar_labels(screen, keys, columns);
    const auto kept_keys = keep_experiments(screen, draft, columns);
    if (screen.experiments.empty()) {
        const std::string no_control =
            options.unpaired ? all_too_small(screen, draft) : why_no_control(screen, draft);
        screen.nothing_kept = (no_control.empty() ? explain_nothing_kept(screen, draft) : no_control) +
                              excluded_rows_note(screen);
        screen.nothing_kept_at = no_control.empty() || options.unpaired
                                     ? "obs"
                                     : "obs/" + columns.names()[columns.column(Role::treatment)];
    }
    read_units(screen, keys, columns);
    check_concentrations(screen, columns.names()[columns.column(Role::concentration)]);
    find_cell_types(screen, keys, kept_keys, columns);
    make_pairs(screen, columns);
    screen.named_vehicles = columns.named_vehicles();
    screen.has_treatments = columns.has_treatments();
    for (std::string& note : vehicle_notes(screen, columns)) screen.notes.push_back(std::move(note));
    if (!columns.has_treatments()) {
        screen.notes.push_back("the file has no column of treatments, so that all " +
                               core::counted(screen.n_obs, "cell") +
                               (options.unpaired ? " have one label" : " count as controls"));
    }
    screen.options = columns.resolved(options);
    screen.fingerprint = fingerprint(data, draft);
    return screen;
}

std::vector<std::string> reading_notes(const Screen& screen) {
    std::vector<std::string> notes;
    for (const Dropped& dropped : screen.dropped) {
        if (dropped.kind == Dropped::Kind::rows && dropped.why.starts_with(missing_label_prefix))
            notes.push_back(core::counted(dropped.n_cells, "row") + " left out: " + dropped.why);
    }
    notes.insert(notes.end(), screen.notes.begin(), screen.notes.end());
    return notes;
}

std::optional<std::string> vehicle_in_column(const Screen& screen, const Population& treated) {
    if (screen.options.vehicles == Vehicles::pool || treated.vehicles.size() != 1) return std::nullopt;
    const std::vector<std::string>& labels = screen.options.control_labels;
    const std::string& vehicle = treated.vehicles.front();
    return std::ranges::find(labels, vehicle) == labels.end() ? std::nullopt : std::optional(vehicle);
}

std::string condition_name(const std::string& treatment, const std::string& concentration) {
    return concentration.empty() ? treatment : treatment + " @ " + concentration;
}

std::string pair_name(const Screen& screen, std::size_t pair) {
    const Population& treated = screen.populations[screen.pairs[pair].treated];
    return screen.experiments[treated.experiment].label + " / " +
           condition_name(treated.treatment, treated.concentration);
}

}  // namespace popflow::screen
