// SPDX-License-Identifier: MIT
#include "predict/control_choice.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "core/text.hpp"

namespace popflow::predict {

namespace {

using Labels = std::set<std::string>;

// Vehicles of treatments, from the options, the file and the training.
class KnownVehicles {
  public:
    KnownVehicles(const screen::Screen& screen, const screen::Conditions& trained) : screen_(screen) {
        for (const screen::Population& population : screen.populations) {
            if (population.control) continue;
            const auto vehicle = screen::vehicle_in_column(screen, population);
            if (!vehicle) continue;
            of_experiment_[{population.experiment, population.treatment}].insert(*vehicle);
            of_file_[population.treatment].insert(*vehicle);
        }
        for (const auto& treatment : trained.treatments()) {
            if (!treatment.vehicle.empty()) of_training_[treatment.name].insert(treatment.vehicle);
        }
    }

    // Returns the vehicle of a treatment in an experiment, or nullopt if it is unknown.
    std::optional<std::string> find(std::size_t experiment, const std::string& treatment) const {
        if (screen_.options.vehicles == screen::Vehicles::pool || !screen_.has_treatments)
            return std::nullopt;
        const auto named = screen_.named_vehicles.find(treatment);
        if (named != screen_.named_vehicles.end()) return named->second;
        const auto own = only(of_experiment_, std::pair(experiment, treatment));
        if (own) return own;
        const auto trained = only(of_training_, treatment);
        return trained ? trained : only(of_file_, treatment);
    }

  private:
    // Returns the label of a key that has one label.
    template <class Map>
    static std::optional<std::string> only(const Map& labels, const typename Map::key_type& key) {
        const auto at = labels.find(key);
        return at == labels.end() || at->second.size() != 1 ? std::nullopt
                                                            : std::optional(*at->second.begin());
    }

    const screen::Screen& screen_;
    std::map<std::pair<std::size_t, std::string>, Labels> of_experiment_;
    std::map<std::string, Labels> of_training_;
    std::map<std::string, Labels> of_file_;
};

std::string joined(const Labels& labels) {
    return core::joined({labels.begin(), labels.end()});
}

// Counts what the notes say.
struct Notes {
    std::size_t n_several = 0;  // experiments with several controls
    Labels controls;            // names of these controls
    Labels without_vehicle;     // treatments whose vehicle is unknown in such an experiment
    // (treatment, vehicle) -> experiments that lack the vehicle
    std::map<std::pair<std::string, std::string>, Labels> lacking;

    std::vector<std::string> text(bool has_vehicles) const {
        std::vector<std::string> notes;
        if (n_several > 0) {
            std::string note = core::counted(n_several, "experiment") + (n_several == 1 ? " has" : " have") +
                               " several controls (" + joined(controls) + "). ";
            if (!has_vehicles) {
                note +=
                    "Each treatment is predicted from each of them. --control TREATMENT=VEHICLE names "
                    "the vehicle of a treatment";
            } else {
                note += "A treatment is predicted from its own vehicle";
                if (!without_vehicle.empty())
                    note += ", one without a known vehicle (" + joined(without_vehicle) +
                            ") from the largest control";
                note += ". --from-controls all predicts each treatment from each control";
            }
            notes.push_back(std::move(note));
        }
        for (const auto& [key, experiments] : lacking)
            notes.push_back(key.first + " is predicted from another control in " +
                            core::counted(experiments.size(), "experiment") + " without its vehicle " +
                            key.second + ": " + joined(experiments));
        return notes;
    }
};

}  // namespace

ControlChoice choose_controls(const screen::Screen& screen, std::span<const screen::Population> conditions,
                              const screen::Conditions& trained, FromControls from) {
    const KnownVehicles vehicles(screen, trained);
    std::map<std::size_t, std::vector<std::size_t>> controls;  // by experiment
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        if (screen.populations[p].control) controls[screen.populations[p].experiment].push_back(p);
    }
    const auto has_known = [&](const auto& entry) {
        return std::ranges::any_of(conditions, [&](const screen::Population& condition) {
            return vehicles.find(entry.first, condition.treatment).has_value();
        });
    };
    const bool has_vehicles = std::ranges::any_of(controls, has_known);
    ControlChoice choice{std::vector<std::vector<std::size_t>>(screen.populations.size()), {}};
    Notes notes;
    for (const auto& [experiment, own] : controls) {
        if (own.size() > 1) {
            ++notes.n_several;
            for (const std::size_t p : own) {
                const screen::Population& control = screen.populations[p];
                notes.controls.insert(screen::condition_name(control.treatment, control.concentration));
            }
        }
        for (std::size_t c = 0; c < conditions.size(); ++c) {
            if (from == FromControls::all || !has_vehicles) {
                for (const std::size_t p : own) choice.conditions[p].push_back(c);
                continue;
            }
            const std::string& treatment = conditions[c].treatment;
            const auto vehicle = vehicles.find(experiment, treatment);
            std::vector<std::size_t> candidates;
            std::ranges::copy_if(own, std::back_inserter(candidates), [&](std::size_t p) {
                return vehicle && screen.populations[p].treatment == *vehicle;
            });
            if (candidates.empty()) {
                candidates = own;
                if (vehicle)
                    notes.lacking[{treatment, *vehicle}].insert(screen.experiments[experiment].label);
                else if (own.size() > 1)
                    notes.without_vehicle.insert(treatment);
            }
            const std::size_t largest = *std::ranges::max_element(
                candidates, {}, [&](std::size_t p) { return screen.populations[p].n_cells; });
            choice.conditions[largest].push_back(c);
        }
    }
    if (from == FromControls::own) choice.notes = notes.text(has_vehicles);
    return choice;
}

}  // namespace popflow::predict
