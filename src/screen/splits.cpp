// SPDX-License-Identifier: MIT
#include "screen/splits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/label_list.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

const char* const forms =
    "allowed replica, patient:NAME[,NAME], treatment:NAME[,NAME], column:NAME, letters, all";

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

/// Returns the experiments that have pairs, each with one population to read labels from.
std::map<std::size_t, const Population*> paired_experiments(const Screen& screen) {
    std::map<std::size_t, const Population*> experiments;
    for (const PopulationPair& pair : screen.pairs) {
        const Population& treated = screen.populations[pair.treated];
        experiments.emplace(treated.experiment, &treated);
    }
    return experiments;
}

/// Holds out pairs for test by the value that a role has in the treated population. The other pairs are
/// train.
Split hold_out(const Screen& screen, const std::string& spec, const std::string& role,
               const std::string& (*value)(const Population&)) {
    const auto pair_value = [&](const PopulationPair& pair) {
        return value(screen.populations[pair.treated]);
    };
    std::set<std::string> known;
    for (const PopulationPair& pair : screen.pairs) known.insert(pair_value(pair));
    const std::vector<std::string> all(known.begin(), known.end());
    if (all.size() < 2) {
        throw core::DataError(
            screen.file, "split " + spec,
            "found one " + role + " only, `" + core::joined(all) + "`, allowed two or more");
    }
    const std::vector<std::string> wanted =
        core::rejoin_labels(core::split_list("split", spec.substr(role.size() + 1)), all);
    if (wanted.empty()) throw core::ConfigError("split", "found `" + spec + "` without a name, " + forms);
    for (const std::string& name : wanted) {
        if (known.contains(name)) continue;
        throw core::DataError(screen.file, "split " + spec,
                              "found no pairs of " + role + " `" + name + "`" +
                                  core::did_you_mean(name, all) + ", allowed " + core::joined(all));
    }
    Split split{spec, {}};
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

Split split_by_column(const Screen& screen, const std::string& spec, const std::string& name) {
    if (screen.options.split_column != name) {
        throw core::ConfigError("split", "found `" + spec +
                                             "`, but the screen was read with the split column `" +
                                             screen.options.split_column + "`");
    }
    std::vector<Part> parts(screen.experiments.size(), Part::train);
    for (const auto& [e, first] : paired_experiments(screen)) {
        std::set<std::string> labels;
        for (const std::size_t p : screen.experiments[e].populations)
            labels.insert(screen.populations[p].part);
        const std::string label = *labels.begin();
        if (labels.size() > 1 || (label != "train" && label != "validation" && label != "test")) {
            throw core::DataError(
                screen.file, "obs/" + name,
                "found `" + core::joined({labels.begin(), labels.end()}) + "` in the experiment " +
                    screen.experiments[e].label +
                    ", allowed one of train, validation, test, the same for all cells of an "
                    "experiment");
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
    }
    throw core::DataError(
        screen.file, "split " + split.spec,
        fmt::format("found {} pairs to train on and {} to test, allowed 1 or more of each{}", n_train, n_test,
                    why));
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
    throw core::ConfigError("part", "found `" + text + "`, allowed train, validation, test");
}

std::vector<std::size_t> Split::pairs(Part part) const {
    std::vector<std::size_t> indices;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        if (parts[p] == part) indices.push_back(p);
    }
    return indices;
}

std::string split_column(const std::string& spec) {
    const std::string prefix = "column:";
    if (spec == "letters") return "split";
    return spec.starts_with(prefix) ? spec.substr(prefix.size()) : "";
}

bool splits_by_treatment(const std::string& spec) {
    return spec.starts_with("treatment:");
}

Split make_split(const Screen& screen, const std::string& spec, std::uint64_t seed) {
    Split split;
    if (spec == "replica") {
        split = split_by_replica(screen, spec, seed);
    } else if (spec.starts_with("patient:")) {
        check_pairing_key(screen, "patient", patient_of);
        split = hold_out(screen, spec, "patient", patient_of);
    } else if (splits_by_treatment(spec)) {
        split = hold_out(screen, spec, "treatment", treatment_of);
    } else if (!split_column(spec).empty()) {
        split = split_by_column(screen, spec, split_column(spec));
    } else if (spec == "all") {
        return {spec, std::vector<Part>(screen.pairs.size(), Part::test)};
    } else {
        throw core::ConfigError(
            "split",
            "found `" + spec + "`" + core::did_you_mean(spec, {"replica", "letters", "all"}) + ", " + forms);
    }
    check_parts(screen, split);
    return split;
}

}  // namespace popflow::screen
