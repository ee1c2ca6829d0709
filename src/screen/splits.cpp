// SPDX-License-Identifier: MIT
#include "screen/splits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/label_list.hpp"
#include "core/natural_order.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

const char* const forms =
    "Give replica, patient:NAME[,NAME], treatment:NAME[,NAME], COLUMN:VALUE[,VALUE], each:COLUMN, "
    "column:NAME, letters, none or all";

/// Last part of the stream key of hold_out_units(). The key of the replicates has 0.
constexpr std::uint64_t held_out_units_draw = 1;

/// A spec, taken apart at its colon.
struct SpecForm {
    std::string column;  ///< text in front of the colon, without quotes
    std::string values;  ///< text behind the colon, empty without one
    bool has_values = false;
    bool is_keyword = false;  ///< whether `column` was not in quotes and so may be `column` of `column:NAME`

    /// Whether the spec is `NAME:...` for a word of the syntax.
    bool is(const char* name) const { return has_values && is_keyword && column == name; }
};

/// Takes a spec apart. One that is in double quotes as a whole is read without them.
SpecForm parse_form(const std::string& spec) {
    core::LabelHead split = core::split_head("split", spec);
    if (split.is_quoted && !split.rest) return parse_form(split.head);
    return {.column = std::move(split.head),
            .values = split.rest.value_or(""),
            .has_values = split.rest.has_value(),
            .is_keyword = !split.is_quoted};
}

/// Returns NAME of `column:NAME`, which may be in double quotes.
std::string named_column(const std::string& values) {
    if (values.find('"') == std::string::npos) {
        const std::size_t begin = std::min(values.find_first_not_of(" \t"), values.size());
        return values.substr(begin, values.find_last_not_of(" \t") + 1 - begin);
    }
    const std::vector<std::string> items = core::split_list("split", values);
    return items.size() == 1 ? items.front() : values;
}

/// Gives each pair the part of its experiment.
Split split_by_experiment(const Screen& screen, const std::string& spec,
                          const std::vector<Part>& part_of_experiment) {
    Split split{spec, {}};
    for (const PopulationPair& pair : screen.pairs) {
        split.parts.push_back(part_of_experiment[screen.populations[pair.treated].experiment]);
    }
    return split;
}

/// Checks that each experiment has one value of a role. A split by this role requires it.
void check_pairing_key(const Screen& screen, const std::string& role,
                       const std::string& (*value)(const Population&)) {
    const std::vector<std::string>& keys = screen.options.pair_by;
    if (std::find(keys.begin(), keys.end(), role) != keys.end()) return;
    // Populations that differ in the column of the role have one value of it each, without being paired by
    // it.
    const auto column = screen.options.columns.find(role);
    const std::string& name = column == screen.options.columns.end() ? role : column->second;
    const std::vector<std::string>& populations = screen.options.population_columns;
    if (std::find(populations.begin(), populations.end(), name) != populations.end()) return;
    std::set<std::string> all;
    for (const Population& population : screen.populations) all.insert(value(population));
    if (all.size() > 1) {
        throw core::ConfigError("pair-by", "found " + core::joined(keys) + ", but this split needs the key " +
                                               role + ": without it, cells of one " + role +
                                               " would be in two parts of the split");
    }
}

const std::string& patient_of(const Population& population) {
    return population.patient;
}
const std::string& culture_of(const Population& population) {
    return population.culture;
}
const std::string& plate_of(const Population& population) {
    return population.plate;
}
const std::string& treatment_of(const Population& population) {
    return population.treatment;
}
const std::string& replicate_of(const Population& population) {
    return population.replicate;
}

/// Returns the second half of an advice: a split by a pairing role that has several values, if there is one.
/// @param tried  role that is not proposed
std::string split_advice(const Screen& screen, const std::string& tried) {
    using Value = const std::string& (*)(const Population&);
    const std::pair<const char*, Value> roles[] = {
        {"patient", patient_of}, {"culture", culture_of}, {"plate", plate_of}, {"replicate", replicate_of}};
    for (const auto& [role, value] : roles) {
        const std::vector<std::string>& keys = screen.options.pair_by;
        if (role == tried || std::ranges::find(keys, role) == keys.end()) continue;
        std::set<std::string> values;
        for (const PopulationPair& pair : screen.pairs)
            values.insert(value(screen.populations[pair.treated]));
        if (values.size() < 2) continue;
        return std::string(", --split ") + role + ":" + *values.rbegin() + " holds out one of " +
               core::counted(values.size(), role);
    }
    return "";
}

/// Returns the experiments that have pairs, each with one population to read labels from.
std::map<std::size_t, const Population*> paired_experiments(const Screen& screen) {
    std::map<std::size_t, const Population*> experiments;
    for (const PopulationPair& pair : screen.pairs) {
        const Population& treated = screen.populations[pair.treated];
        experiments.emplace(treated.experiment, &treated);
    }
    return experiments;
}

/// Returns the only value of the split column in a treated population.
const std::string& split_value(const Population& population) {
    return population.split_values.front();
}

/// Checks that the treated populations of all pairs have one value of the split column.
void check_one_value(const Screen& screen, const std::string& spec, const std::string& column) {
    for (const PopulationPair& pair : screen.pairs) {
        const std::vector<std::string>& values = screen.populations[pair.treated].split_values;
        if (values.size() == 1) continue;
        throw core::ConfigError(
            "split", "found " + spec + ", but the population " + population_label(screen, pair.treated) +
                         " has several values of " + column + ": " + core::joined(values) + ". Add " +
                         column + " to --pair-by, so that its cells are in one part");
    }
}

/// Checks that no control has cells of a value that treated populations of the other part have.
void check_controls_apart(const Screen& screen, const Split& split) {
    std::map<std::string, std::set<Part>> parts_of;
    for (std::size_t p = 0; p < screen.pairs.size(); ++p)
        parts_of[split_value(screen.populations[screen.pairs[p].treated])].insert(split.parts[p]);
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) {
        const std::size_t control = screen.pairs[p].control;
        for (const std::string& value : screen.populations[control].split_values) {
            const auto known = parts_of.find(value);
            if (known == parts_of.end() || known->second.contains(split.parts[p])) continue;
            throw core::ConfigError(
                "pair-by", "found " + core::joined(screen.options.pair_by) + ", but the split " + split.spec +
                               " needs the key " + split.column + ": the control " +
                               population_label(screen, control) + " of a " + part_name(split.parts[p]) +
                               " pair has cells of `" + value + "`, which are in the other part");
        }
    }
}

/// Returns the sorted values that a role has in the treated populations of the pairs, two or more.
std::vector<std::string> values_to_hold_out(const Screen& screen, const std::string& spec,
                                            const std::string& role,
                                            const std::string& (*value)(const Population&)) {
    std::set<std::string> known;
    for (const PopulationPair& pair : screen.pairs) known.insert(value(screen.populations[pair.treated]));
    std::vector<std::string> all(known.begin(), known.end());
    if (all == std::vector<std::string>{""}) {
        throw core::DataError(screen.file, "split " + spec,
                              "found no value of " + role + ". Name its column with --column " + role +
                                  "=NAME, or hold out by another column with --split COLUMN:VALUE" +
                                  split_advice(screen, role));
    }
    if (all.size() < 2) {
        throw core::DataError(screen.file, "split " + spec,
                              "found one " + role + " only, `" + core::joined(all) +
                                  "`, but a split needs two or more. --split none trains on all pairs" +
                                  split_advice(screen, role));
    }
    return all;
}

/// Holds out pairs for test by the value that a role has in the treated population. The other pairs are
/// train.
Split hold_out(const Screen& screen, const std::string& spec, const std::string& role,
               const std::string& (*value)(const Population&)) {
    const auto pair_value = [&](const PopulationPair& pair) {
        return value(screen.populations[pair.treated]);
    };
    const std::vector<std::string> all = values_to_hold_out(screen, spec, role, value);
    const std::vector<std::string> wanted =
        core::rejoin_labels(core::split_list("split", parse_form(spec).values), all);
    if (wanted.empty()) throw core::ConfigError("split", "found `" + spec + "` without a name. " + forms);
    for (const std::string& name : wanted) {
        if (std::ranges::find(all, name) != all.end()) continue;
        throw core::DataError(screen.file, "split " + spec,
                              "found no pairs of " + role + " `" + name + "`" +
                                  core::did_you_mean(name, all) + ". Give some of " + core::joined(all));
    }
    Split split{spec, {}, role};
    for (const PopulationPair& pair : screen.pairs) {
        const bool held_out = std::ranges::find(wanted, pair_value(pair)) != wanted.end();
        split.parts.push_back(held_out ? Part::test : Part::train);
    }
    return split;
}

/// One (patient, plate) batch of a culture: replicate -> experiments.
using Batch = std::map<std::string, std::vector<std::size_t>>;

/// Assigns one random replicate of a batch to a part.
void assign_one_replicate(const Batch& batch, Part part, core::Stream& stream, std::vector<Part>& parts) {
    auto chosen = batch.begin();
    std::advance(chosen, stream.below(batch.size()));
    for (const std::size_t experiment : chosen->second) parts[experiment] = part;
}

Split split_by_replica(const Screen& screen, const std::string& spec, std::uint64_t seed) {
    check_pairing_key(screen, "patient", patient_of);
    check_pairing_key(screen, "culture", culture_of);
    check_pairing_key(screen, "plate", plate_of);
    check_pairing_key(screen, "replicate", replicate_of);
    std::map<std::string, std::map<std::pair<std::string, std::string>, Batch>> cultures;
    for (const auto& [experiment, p] : paired_experiments(screen)) {
        cultures[p->culture][{p->patient, p->plate}][p->replicate].push_back(experiment);
    }
    std::vector<Part> parts(screen.experiments.size(), Part::train);
    std::uint64_t culture_index = 0;
    for (const auto& [culture, batches] : cultures) {
        std::vector<const Batch*> divisible;
        for (const auto& [key, batch] : batches) {
            if (batch.size() >= 2) divisible.push_back(&batch);
        }
        core::Stream stream(seed, core::Purpose::split, culture_index++);
        const std::size_t each = divisible.size() >= 30 ? 10 : divisible.size() / 3;
        const std::vector<std::uint32_t> order = stream.permutation(divisible.size());
        for (std::size_t k = 0; k < 2 * each; ++k) {
            assign_one_replicate(*divisible[order[k]], k < each ? Part::validation : Part::test, stream,
                                 parts);
        }
    }
    return split_by_experiment(screen, spec, parts);
}

void check_read_with(const Screen& screen, const std::string& spec, const std::string& column) {
    if (screen.options.split_column == column) return;
    throw core::ConfigError("split", "found `" + spec + "`, but the screen was read with the split column `" +
                                         screen.options.split_column + "`");
}

/// Holds out pairs by the value of a role or obs column that the screen was read with.
Split hold_out_by_column(const Screen& screen, const std::string& spec, const std::string& column) {
    check_read_with(screen, spec, column);
    check_one_value(screen, spec, column);
    Split split = hold_out(screen, spec, column, split_value);
    check_controls_apart(screen, split);
    return split;
}

Split split_by_column(const Screen& screen, const std::string& spec, const std::string& name) {
    check_read_with(screen, spec, name);
    std::vector<Part> parts(screen.experiments.size(), Part::train);
    for (const auto& [e, first] : paired_experiments(screen)) {
        std::set<std::string> labels;
        for (const std::size_t p : screen.experiments[e].populations)
            labels.insert(screen.populations[p].split_values.begin(),
                          screen.populations[p].split_values.end());
        const std::string label = labels.empty() ? "" : *labels.begin();
        if (labels.size() > 1 || (label != "train" && label != "validation" && label != "test")) {
            throw core::DataError(
                screen.file, "obs/" + name,
                "found `" + core::joined({labels.begin(), labels.end()}) + "` in the experiment " +
                    screen.experiments[e].label +
                    ". All cells of an experiment must have one of train, validation, test");
        }
        parts[e] = parse_part(label);
    }
    return split_by_experiment(screen, spec, parts);
}

void check_parts(const Screen& screen, const Split& split) {
    const std::size_t n_train = split.pairs(Part::train).size();
    const std::size_t n_test = split.pairs(Part::test).size();
    if (n_train > 0 && n_test > 0) return;
    std::string why;
    if (split.spec == "replica") {
        why =
            ". The split replica needs a culture with three or more batches (patient, plate) that have two "
            "or more "
            "replicates each";
    } else if (n_train == 0) {
        why = ". Hold out fewer values, or score an earlier run on all pairs with --split all";
    }
    why += ". --split none trains on all pairs" + split_advice(screen, "");
    throw core::DataError(screen.file, "split " + split.spec,
                          fmt::format("found {} pairs to train on and {} to test, but a split needs both{}",
                                      n_train, n_test, why));
}

/// Returns a label of each pair.
template <class Label>
std::vector<std::string> pair_labels(const Screen& screen, Label label) {
    std::vector<std::string> labels;
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) labels.push_back(label(p));
    return labels;
}

/// Replaces each label by its number in order of appearance.
std::vector<std::size_t> numbered(const std::vector<std::string>& labels) {
    std::map<std::string, std::size_t> numbers;
    std::vector<std::size_t> all;
    for (const std::string& label : labels)
        all.push_back(numbers.emplace(label, numbers.size()).first->second);
    return all;
}

/// Returns whether each experiment has one value, and some treatment has several.
/// @param values  one per pair
bool describes_populations(const Screen& screen, const std::vector<std::string>& values) {
    std::map<std::size_t, std::set<std::string>> by_experiment;
    std::map<std::string, std::set<std::string>> by_treatment;
    for (std::size_t p = 0; p < values.size(); ++p) {
        const Population& treated = screen.populations[screen.pairs[p].treated];
        by_experiment[treated.experiment].insert(values[p]);
        by_treatment[treated.treatment].insert(values[p]);
    }
    const auto has_several = [](const auto& entry) { return entry.second.size() > 1; };
    return std::ranges::none_of(by_experiment, has_several) && std::ranges::any_of(by_treatment, has_several);
}

/// Returns whether there are several parts and each value is in one of them.
/// @param values  one per pair
bool separates_parts(const Split& split, const std::vector<std::string>& values) {
    std::map<std::string, std::set<Part>> parts;
    std::set<Part> all;
    for (std::size_t p = 0; p < values.size(); ++p) {
        parts[values[p]].insert(split.parts[p]);
        all.insert(split.parts[p]);
    }
    return all.size() > 1 &&
           std::ranges::all_of(parts, [](const auto& entry) { return entry.second.size() == 1; });
}

}  // namespace

const char* part_name(Part part) {
    switch (part) {
        case Part::train:
            return "train";
        case Part::validation:
            return "validation";
        case Part::test:
            break;
    }
    return "test";
}

Part parse_part(const std::string& text) {
    for (const Part part : {Part::train, Part::validation, Part::test}) {
        if (text == part_name(part)) return part;
    }
    throw core::ConfigError("part", "found `" + text + "`. Give one of train, validation, test");
}

std::vector<std::size_t> Split::pairs(Part part) const {
    std::vector<std::size_t> indices;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        if (parts[p] == part) indices.push_back(p);
    }
    return indices;
}

std::string split_column(const std::string& spec) {
    if (spec == "letters") return "split";
    const SpecForm form = parse_form(spec);
    return form.is("column") ? named_column(form.values) : held_out_column(spec);
}

std::string held_out_column(const std::string& spec) {
    const std::string column = unit_column(spec);
    return column == "patient" || column == "treatment" ? "" : column;
}

std::string unit_column(const std::string& spec) {
    const SpecForm form = parse_form(spec);
    if (!form.has_values || form.is("column")) return "";
    return form.is("each") ? named_column(form.values) : form.column;
}

bool is_leave_one_out(const std::string& spec) {
    return parse_form(spec).is("each");
}

std::vector<std::string> left_out_values(const Screen& screen, const std::string& spec) {
    const std::string column = unit_column(spec);
    if (!is_leave_one_out(spec) || column.empty())
        throw core::ConfigError(
            "split", "found `" + spec + "` without a column. Give each:COLUMN, for example each:patient");
    if (column == "patient") {
        check_pairing_key(screen, "patient", patient_of);
        return core::sorted_labels(values_to_hold_out(screen, spec, column, patient_of));
    }
    if (column == "treatment")
        return core::sorted_labels(values_to_hold_out(screen, spec, column, treatment_of));
    check_read_with(screen, spec, column);
    check_one_value(screen, spec, column);
    return core::sorted_labels(values_to_hold_out(screen, spec, column, split_value));
}

std::string left_out_split(const std::string& spec, const std::string& value) {
    const std::string column = unit_column(spec);
    const bool is_plain = !column.empty() && column != "column" && column != "each" &&
                          column.find(':') == std::string::npos && core::list_item(column) == column;
    std::string quoted = "\"";
    for (const char c : column) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return (is_plain ? column : quoted + "\"") + ":" + core::list_item(value);
}

bool holds_out_nothing(const std::string& spec) {
    return spec == "none";
}

std::string held_out_label(const Screen& screen, const Split& split, std::size_t pair) {
    const Population& treated = screen.populations[screen.pairs[pair].treated];
    if (split.column == "patient") return treated.patient;
    if (split.column == "treatment") return treated.treatment;
    std::string text;
    for (const std::string& value : treated.split_values) text += (text.empty() ? "" : "+") + value;
    return text;
}

std::vector<std::size_t> population_units(const Screen& screen, const Split& split) {
    if (!split.column.empty()) {
        const std::vector<std::string> values =
            pair_labels(screen, [&](std::size_t pair) { return held_out_label(screen, split, pair); });
        if (describes_populations(screen, values)) return numbered(values);
    }
    std::vector<std::string> unit = pair_labels(screen, [&](std::size_t pair) {
        return std::to_string(screen.populations[screen.pairs[pair].treated].experiment);
    });
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    for (std::size_t key = 0; key < screen.options.pair_by.size(); ++key) {
        std::vector<std::string> values = pair_labels(screen, [&](std::size_t pair) {
            const Population& treated = screen.populations[screen.pairs[pair].treated];
            return screen.experiments[treated.experiment].values.at(key);
        });
        const std::size_t count = std::set<std::string>(values.begin(), values.end()).size();
        if (count >= fewest || !separates_parts(split, values)) continue;
        fewest = count;
        unit = std::move(values);
    }
    return numbered(unit);
}

std::vector<std::size_t> validation_units(const Screen& screen, const Split& split) {
    if (split.column.empty()) return population_units(screen, split);
    const std::vector<std::string> values =
        pair_labels(screen, [&](std::size_t pair) { return held_out_label(screen, split, pair); });
    std::set<std::string> trained;
    for (const std::size_t pair : split.pairs(Part::train)) trained.insert(values[pair]);
    return trained.size() > 1 ? numbered(values) : population_units(screen, split);
}

Split hold_out_units(const Screen& screen, Split split, std::size_t count, std::uint64_t seed) {
    if (!split.pairs(Part::validation).empty()) {
        throw core::ConfigError(
            "validation",
            fmt::format("found {}, but --split {} has a validation part. Omit --validation to use "
                        "this part",
                        count, split.spec));
    }
    const std::vector<std::size_t> units = validation_units(screen, split);
    const std::vector<std::size_t> train = split.pairs(Part::train);
    std::set<std::size_t> distinct;
    for (const std::size_t pair : train) distinct.insert(units[pair]);
    if (count >= distinct.size()) {
        throw core::ConfigError(
            "validation", fmt::format("found {}, but the training part has {}. Give a smaller number, so "
                                      "that pairs to train on are left",
                                      count, core::counted(distinct.size(), "unit")));
    }
    const std::vector<std::size_t> numbers(distinct.begin(), distinct.end());
    core::Stream stream(seed, core::Purpose::split, 0, held_out_units_draw);
    std::set<std::size_t> held_out;
    for (const std::uint32_t k : stream.sample(numbers.size(), count)) held_out.insert(numbers[k]);
    for (const std::size_t pair : train) {
        if (held_out.contains(units[pair])) split.parts[pair] = Part::validation;
    }
    return split;
}

Split make_split(const Screen& screen, const std::string& spec, std::uint64_t seed) {
    const SpecForm form = parse_form(spec);
    if (form.is("each"))
        throw core::ConfigError("split",
                                "found `" + spec +
                                    "`, which stands for one split for each value. popflow run, train "
                                    "and inspect accept it. Give one of the splits, such as " +
                                    left_out_split(spec, "VALUE"));
    Split split;
    if (spec == "replica") {
        split = split_by_replica(screen, spec, seed);
    } else if (form.has_values && form.column == "patient") {
        check_pairing_key(screen, "patient", patient_of);
        split = hold_out(screen, spec, "patient", patient_of);
    } else if (form.has_values && form.column == "treatment") {
        split = hold_out(screen, spec, "treatment", treatment_of);
    } else if (spec == "letters" || form.is("column")) {
        split = split_by_column(screen, spec, split_column(spec));
    } else if (!held_out_column(spec).empty()) {
        split = hold_out_by_column(screen, spec, held_out_column(spec));
    } else if (spec == "all") {
        return {spec, std::vector<Part>(screen.pairs.size(), Part::test)};
    } else if (holds_out_nothing(spec)) {
        return {spec, std::vector<Part>(screen.pairs.size(), Part::train)};
    } else {
        throw core::ConfigError("split", "found `" + spec + "`" +
                                             core::did_you_mean(spec, {"replica", "letters", "none", "all"}) +
                                             ". " + forms);
    }
    check_parts(screen, split);
    return split;
}

}  // namespace popflow::screen
