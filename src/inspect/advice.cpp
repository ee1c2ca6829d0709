// SPDX-License-Identifier: MIT
#include "inspect/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/label_list.hpp"
#include "core/text.hpp"

namespace popflow::inspect {

namespace {

using core::counted;

// With fewer pairs, or populations that can be held out, the moment map is hard to beat. It is also
// models::small_screen_pairs.
constexpr std::size_t many_pairs = 100;
constexpr std::size_t many_units = 8;
// Fewest populations between which a treatment's response can be compared.
constexpr std::size_t min_units = 3;
// Fewest populations whose sign-flip test can fall below 0.05: 2 / 2^6 = 0.03.
constexpr std::size_t units_of_a_test = 6;
// With more populations, one model for each takes long.
constexpr std::size_t many_models = 20;
// With fewer cells, W2 and the noise floor are dominated by the draw of the cells.
constexpr std::size_t many_cells = 500;

// With more markers, principal components make a smaller problem of it.
constexpr std::size_t many_markers = 300;
constexpr std::size_t usual_components = 50;

// A label by which pairs can be held out together, and its values.
struct Unit {
    std::string name;
    std::vector<std::string> values;
    std::string screen::Population::*value = nullptr;  // null for the column of the split
};

std::vector<Unit> units(const InspectionSummary& summary) {
    std::vector<Unit> all{{"patient", summary.patients, &screen::Population::patient},
                          {"culture", summary.cultures, &screen::Population::culture},
                          {"plate", summary.plates, &screen::Population::plate},
                          {"replicate", summary.replicates, &screen::Population::replicate}};
    std::erase_if(all, [](const Unit& unit) { return unit.values.size() < 2; });
    return all;
}

// Returns the smallest and the largest number of different units that a treatment has pairs of.
std::pair<std::size_t, std::size_t> units_of_treatments(const screen::Screen& screen, const Unit& unit) {
    std::map<std::string, std::set<std::string>> found;
    for (const screen::PopulationPair& pair : screen.pairs) {
        const screen::Population& treated = screen.populations[pair.treated];
        std::set<std::string>& values = found[treated.treatment];
        if (unit.value != nullptr) {
            values.insert(treated.*unit.value);
        } else {
            values.insert(treated.split_values.begin(), treated.split_values.end());
        }
    }
    std::pair<std::size_t, std::size_t> range{screen.pairs.size(), 0};
    for (const auto& [treatment, values] : found) {
        range.first = std::min(range.first, values.size());
        range.second = std::max(range.second, values.size());
    }
    return range;
}

std::string plural(const Unit& unit, std::size_t n) {
    return unit.value != nullptr ? counted(n, unit.name) : counted(n, "value") + " of " + unit.name;
}

std::string singular(const Unit& unit) {
    return unit.value != nullptr ? unit.name : "value of " + unit.name;
}

std::string each_split(const Unit& unit) {
    return "each:" + core::list_item(unit.name);
}

Advice splits_advice(const std::vector<Unit>& all, const Unit& unit, const screen::Screen& screen) {
    std::string text = fmt::format("--split {}:{} holds out one {}.", unit.name,
                                   core::list_item(unit.values.front()), singular(unit));
    if (unit.values.size() <= many_models)
        text += fmt::format(" --split {} holds out each in turn, with one model for each.", each_split(unit));
    std::vector<std::string> others;
    for (const Unit& other : all) {
        if (other.name != unit.name)
            others.push_back(fmt::format("{} ({})", other.name, other.values.size()));
    }
    if (!others.empty()) text += " Other columns: " + core::joined(others) + ".";
    if (screen.treatments.size() > 1) text += " --split treatment:NAME needs --treatment-vectors.";
    return {"splits", text};
}

// @param trained  number of values of the unit that the training part has
Advice method_advice(std::size_t pairs, const Unit& unit, std::size_t fewest, std::size_t trained) {
    if (fewest >= min_units && trained == 1) {
        return {"method",
                fmt::format("--method mean-shift. The training part has one {}, so that no method can be "
                            "compared with another on a {} that it was not trained on.",
                            singular(unit), singular(unit))};
    }
    if (fewest < min_units) {
        return {"method",
                fmt::format("--method mean-shift. A treatment has {}, but {} are needed to learn how "
                            "responses differ between them.",
                            plural(unit, fewest), min_units)};
    }
    if (pairs < many_pairs || unit.values.size() < many_units) {
        return {"method",
                fmt::format("--method auto. With {} of {}, it finds out by a cross-validation whether "
                            "a flow beats the simple models, and says which it took.",
                            counted(pairs, "pair"), plural(unit, unit.values.size()))};
    }
    return {"method", fmt::format("--method mfm. Compare it with moment_map in the tables: with {} it may be "
                                  "as good.",
                                  counted(pairs, "pair"))};
}

// Returns the advice for a split that holds out treatments.
// @param trained  number of treatments in training
std::vector<Advice> advise_new_treatments(const screen::Screen& screen, const screen::Split& split,
                                          std::size_t trained) {
    return {
        {"data",
         fmt::format("{} of {} to train on, {} of others to test.",
                     counted(split.pairs(screen::Part::train).size(), "pair"), counted(trained, "treatment"),
                     counted(split.pairs(screen::Part::test).size(), "pair"))},
        {"method",
         "--method mfm or fm with --treatment-vectors, which describe the new treatments. The other methods "
         "take the training treatment with the nearest vector."},
        {"limits",
         fmt::format("What {} say about a new one depends on how well the vectors describe them. {}",
                     counted(trained, "treatment"),
                     screen.treatments.size() <= many_models
                         ? "--split each:treatment holds out each in turn."
                         : "Hold out several, with --split treatment:A,B.")}};
}

Advice settings_advice(std::size_t pairs) {
    return {
        "settings",
        pairs < many_pairs
            ? fmt::format("The defaults of fm, cgfm and mfm are those of screens with fewer than {} pairs: a "
                          "small network, few steps, --coupling ot.",
                          many_pairs)
            : "The defaults are meant for screens of this size."};
}

// Returns nothing for few markers.
std::vector<Advice> markers_advice(const screen::Screen& screen) {
    if (screen.markers.size() < many_markers) return {};
    return {{"markers", fmt::format("--latent pca:{} trains in principal components instead of {}.",
                                    usual_components, counted(screen.markers.size(), "marker"))}};
}

Advice limits_advice(const Unit& unit, const InspectionSummary& summary) {
    const std::size_t n = unit.values.size();
    std::string text;
    if (n < units_of_a_test)
        text = fmt::format(
            "A test of one model against another needs {} held out in turn for p < 0.05, and "
            "there are {}.",
            plural(unit, units_of_a_test), n);
    else
        text =
            fmt::format("Hold out each {} in turn (--split {}): scores of one say little about the others.",
                        singular(unit), each_split(unit));
    if (summary.populations.median < many_cells)
        text += fmt::format(" With {} a population, compare models by the energy distance rather than by W2.",
                            counted(summary.populations.median, "cell"));
    return {"limits", text};
}

}  // namespace

namespace {

// Returns what populations without pairs support.
std::vector<Advice> advise_without_pairs(const screen::Screen& screen, const InspectionSummary& summary) {
    std::size_t fewest = screen.populations.size();
    for (const DoseSummary& dose : summary.doses) fewest = std::min(fewest, dose.sizes.n);
    const std::size_t d = screen.markers.size();
    const std::size_t numbers = d + d * (d + 1) / 2;
    std::vector<Advice> lines{
        {"data", fmt::format("{} of {}, {} or more of each. A mean and a covariance have {} numbers.",
                             counted(screen.populations.size(), "population"),
                             counted(summary.doses.size(), "label"), fewest, numbers)}};
    lines.push_back(
        {"method", fewest < numbers
                       ? "--method bwfm, but there are fewer populations of a label than numbers of each: "
                         "compare the rows model, resample and gaussian of popflow evaluate. --latent pca:N "
                         "makes a smaller problem of it."
                       : "--method bwfm generates populations of each label. popflow evaluate compares them "
                         "with held-out ones."});
    return lines;
}

}  // namespace

std::vector<Advice> advise(const screen::Screen& screen, const InspectionSummary& summary,
                           const screen::Split* split) {
    if (screen.pairs.empty()) return {};
    if (screen.options.unpaired) return advise_without_pairs(screen, summary);
    const std::vector<Unit> all = units(summary);
    Unit unit = all.empty() ? Unit{"patient", summary.patients, &screen::Population::patient} : all.front();
    std::size_t trained = unit.values.size();  // number of values in training, of a split by column
    if (split != nullptr && !split->column.empty()) {
        std::set<std::string> values;
        for (const std::size_t pair : split->pairs(screen::Part::train))
            values.insert(screen::held_out_label(screen, *split, pair));
        trained = values.size();
        if (split->column == "treatment") return advise_new_treatments(screen, *split, trained);
        const auto same = std::ranges::find(all, split->column, &Unit::name);
        if (same != all.end()) unit = *same;
    }
    if (split != nullptr && !summary.pairs_by_column.empty()) {
        unit = {split->column, {}, nullptr};
        for (const auto& [value, counts] : summary.pairs_by_column) unit.values.push_back(value);
    }
    const auto [fewest, most] = units_of_treatments(screen, unit);
    std::vector<Advice> lines{
        {"data",
         fmt::format("{} of {}, {} for each treatment.", counted(screen.pairs.size(), "pair"),
                     plural(unit, unit.values.size()),
                     fewest == most ? std::to_string(fewest) : fmt::format("{} to {}", fewest, most))}};
    if (unit.values.size() < 2) {
        lines.push_back({"splits",
                         "none: all pairs come from one population of cells. A model can be trained "
                         "(--split none), but not checked on another population."});
        lines.push_back(method_advice(screen.pairs.size(), unit, fewest, trained));
        std::ranges::copy(markers_advice(screen), std::back_inserter(lines));
        return lines;
    }
    lines.push_back(splits_advice(all, unit, screen));
    lines.push_back(method_advice(screen.pairs.size(), unit, fewest, trained));
    std::ranges::copy(markers_advice(screen), std::back_inserter(lines));
    lines.push_back(settings_advice(screen.pairs.size()));
    lines.push_back(limits_advice(unit, summary));
    return lines;
}

}  // namespace popflow::inspect
