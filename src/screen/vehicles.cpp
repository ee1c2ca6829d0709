// SPDX-License-Identifier: MIT
#include "screen/vehicles.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

/// Appends a control to a pooled one.
void merge(PopulationDraft& pooled, const PopulationDraft& control) {
    Population& sum = pooled.population;
    const Population& one = control.population;
    const auto join = [](std::string& text, const std::string& label) {
        const std::vector<std::string> known = core::split_text(text, '+');
        if (std::ranges::find(known, label) == known.end()) text += "+" + label;
    };
    join(sum.treatment, one.treatment);
    join(sum.patient, one.patient);
    join(sum.culture, one.culture);
    join(sum.replicate, one.replicate);
    join(sum.plate, one.plate);
    sum.first_row = std::min(sum.first_row, one.first_row);
    sum.end_row = std::max(sum.end_row, one.end_row);
    sum.n_cells += one.n_cells;
    std::set<std::string> values(sum.split_values.begin(), sum.split_values.end());
    values.insert(one.split_values.begin(), one.split_values.end());
    sum.split_values.assign(values.begin(), values.end());
    sum.pooled.emplace_back(one.treatment, one.concentration);
    pooled.keys.insert(pooled.keys.end(), control.keys.begin(), control.keys.end());
}

/// Returns the kept controls of an experiment.
std::vector<std::size_t> controls_of(const Screen& screen, const Experiment& experiment) {
    std::vector<std::size_t> controls;
    for (const std::size_t p : experiment.populations) {
        if (screen.populations[p].control) controls.push_back(p);
    }
    return controls;
}

std::string control_name(const Population& control) {
    return condition_name(control.treatment, control.concentration);
}

/// Counts the controls that the pairs of experiments with several controls use.
struct ControlCounts {
    std::set<std::size_t> experiments;  ///< experiments with several controls and with pairs
    std::set<std::string> names;        ///< names of these controls
    std::map<std::string, std::size_t>
        largest_of;                 ///< control -> experiments in which it is used as the largest
    bool has_own_vehicles = false;  ///< whether some treatment has a vehicle of its own
};

ControlCounts count_controls(const Screen& screen, const ScreenColumns& columns) {
    ControlCounts counts;
    std::set<std::size_t> counted;
    for (const PopulationPair& pair : screen.pairs) {
        const Population& treated = screen.populations[pair.treated];
        const std::vector<std::size_t> controls = controls_of(screen, screen.experiments[treated.experiment]);
        if (controls.size() < 2) continue;
        counts.experiments.insert(treated.experiment);
        for (const std::size_t p : controls) counts.names.insert(control_name(screen.populations[p]));
        if (required_vehicle(treated, columns)) {
            counts.has_own_vehicles = true;
        } else if (counted.insert(treated.experiment).second) {
            ++counts.largest_of[control_name(screen.populations[pair.control])];
        }
    }
    return counts;
}

std::string several_controls_note(const ControlCounts& counts) {
    std::string text = core::counted(counts.experiments.size(), "experiment") +
                       (counts.experiments.size() == 1 ? " has" : " have") + " several controls (" +
                       core::joined({counts.names.begin(), counts.names.end()}) + "). ";
    if (counts.has_own_vehicles) text += "A treatment is paired with its own vehicle";
    if (counts.largest_of.empty()) return text;
    text += counts.has_own_vehicles ? ", if it has none with the largest control: "
                                    : "A treatment is paired with the largest control: ";
    bool is_first = true;
    for (const auto& [name, n] : counts.largest_of) {
        text += (is_first ? "" : ", ") + name + " in " + core::counted(n, "experiment");
        is_first = false;
    }
    return text +
           ". --control TREATMENT=VEHICLE or --column vehicle=NAME name the vehicle of a treatment, "
           "--vehicles pool pools the controls of an experiment";
}

std::string pooled_note(const Screen& screen) {
    std::set<std::string> names;
    std::size_t n = 0;
    for (const Population& population : screen.populations) {
        if (population.pooled.empty()) continue;
        ++n;
        for (const auto& [treatment, concentration] : population.pooled)
            names.insert(condition_name(treatment, concentration));
    }
    if (n == 0) return "";
    return "the controls " + core::joined({names.begin(), names.end()}) + " are pooled in " +
           core::counted(n, "experiment");
}

/// Returns notes about names of vehicles that no population has.
void add_unused_names(const Screen& screen, const ScreenColumns& columns, std::vector<std::string>& notes) {
    std::set<std::string> treatments;
    for (const Population& population : screen.populations) {
        if (!population.control) treatments.insert(population.treatment);
    }
    for (const auto& [treatment, vehicle] : columns.named_vehicles()) {
        if (treatments.contains(treatment)) continue;
        notes.push_back("--control " + treatment + "=" + vehicle + " has no effect: there is no treatment " +
                        treatment + core::did_you_mean(treatment, {treatments.begin(), treatments.end()}));
    }
    if (!columns.vehicle() || screen.options.vehicles == Vehicles::pool) return;
    std::set<std::string> unknown;
    for (const Population& population : screen.populations) {
        if (population.control || columns.named_vehicles().contains(population.treatment)) continue;
        if (population.vehicles.size() > 1) {
            unknown.insert(core::joined(population.vehicles) + " together");
        } else if (!population.vehicles.empty() && !population.vehicles.front().empty() &&
                   !columns.is_control(population.vehicles.front())) {
            unknown.insert(population.vehicles.front());
        }
    }
    if (unknown.empty()) return;
    notes.push_back("obs/" + columns.names()[*columns.vehicle()] + ": " +
                    core::joined({unknown.begin(), unknown.end()}) +
                    " names no control of these treated cells, so they are paired with the largest control. "
                    "--control takes the labels of controls");
}

}  // namespace

void check_vehicle_options(const ScreenOptions& options, const ScreenColumns& columns) {
    if (options.vehicles != Vehicles::pool) return;
    const auto mapped = options.columns.find(vehicle_role);
    const bool has_column = mapped != options.columns.end() && !mapped->second.empty();
    if (columns.named_vehicles().empty() && !has_column) return;
    throw core::ConfigError(
        "vehicles",
        "found pool together with " +
            std::string(has_column ? "--column vehicle=" + mapped->second : "--control TREATMENT=VEHICLE") +
            ": either pool the controls of an experiment, or name the vehicles");
}

void pool_controls(ScreenDraft& draft) {
    for (auto& [values, drafts] : draft.experiments) {
        std::vector<PopulationDraft> kept;
        std::optional<std::size_t> pooled;  // position of the first control in `kept`
        for (PopulationDraft& one : drafts) {
            if (!one.population.control || !pooled) {
                if (one.population.control) pooled = kept.size();
                kept.push_back(std::move(one));
                continue;
            }
            Population& first = kept[*pooled].population;
            if (first.pooled.empty()) first.pooled.emplace_back(first.treatment, first.concentration);
            merge(kept[*pooled], one);
        }
        if (pooled) {
            Population& control = kept[*pooled].population;
            const auto same_dose = [&](const auto& member) { return member.second == control.concentration; };
            if (!std::ranges::all_of(control.pooled, same_dose)) {
                control.concentration.clear();
                control.concentration_value = 0;
            }
        }
        drafts = std::move(kept);
    }
}

std::optional<std::string> required_vehicle(const Population& treated, const ScreenColumns& columns) {
    const auto named = columns.named_vehicles().find(treated.treatment);
    if (named != columns.named_vehicles().end()) return named->second;
    if (treated.vehicles.size() != 1 || !columns.is_control(treated.vehicles.front())) return std::nullopt;
    return treated.vehicles.front();
}

std::size_t control_of(const Screen& screen, const Experiment& experiment, const Population& treated,
                       const ScreenColumns& columns) {
    const bool pooled = screen.options.vehicles == Vehicles::pool;
    const std::optional<std::string> vehicle = pooled ? std::nullopt : required_vehicle(treated, columns);
    std::vector<std::size_t> controls = controls_of(screen, experiment);
    const auto is_other = [&](std::size_t p) {
        return vehicle && screen.populations[p].treatment != *vehicle;
    };
    if (!std::ranges::all_of(controls, is_other)) std::erase_if(controls, is_other);
    return *std::ranges::max_element(controls, {},
                                     [&](std::size_t p) { return screen.populations[p].n_cells; });
}

std::vector<std::string> vehicle_notes(const Screen& screen, const ScreenColumns& columns) {
    std::vector<std::string> notes;
    if (const std::string pooled = pooled_note(screen); !pooled.empty()) notes.push_back(pooled);
    if (!screen.options.need_pairs) return notes;  // a prediction chooses its controls
    const ControlCounts counts = count_controls(screen, columns);
    if (!counts.experiments.empty()) notes.push_back(several_controls_note(counts));
    add_unused_names(screen, columns, notes);
    return notes;
}

}  // namespace popflow::screen
