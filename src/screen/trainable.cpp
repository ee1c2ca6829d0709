// SPDX-License-Identifier: MIT
#include "screen/trainable.hpp"

#include <fmt/format.h>

#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

/// Pairs whose treatment has no code.
struct Unknown {
    std::size_t pairs = 0;
    std::set<std::string> treatments{};

    std::string names() const { return core::joined({treatments.begin(), treatments.end()}); }
    std::string noun() const { return treatments.size() == 1 ? "treatment " : "treatments "; }
};

Unknown unknown_pairs(const Screen& screen, std::span<const std::size_t> pairs,
                      const Conditions& conditions) {
    Unknown unknown;
    for (const std::size_t p : pairs) {
        const std::string& treatment = screen.populations[screen.pairs[p].treated].treatment;
        if (conditions.can_encode(treatment)) continue;
        ++unknown.pairs;
        unknown.treatments.insert(treatment);
    }
    return unknown;
}

std::string share_text(std::size_t some, std::size_t all, const std::string& noun) {
    return fmt::format("{} of {}", some, core::counted(all, noun));
}

}  // namespace

void check_vectors(const Screen& screen, const TreatmentVectors& vectors) {
    if (vectors.empty()) return;
    for (const PopulationPair& pair : screen.pairs) {
        const std::string& name = screen.populations[pair.treated].treatment;
        if (vectors.find(name)) continue;
        throw core::ConfigError("treatment-vectors",
                                "the table has no row for treatment '" + name + "'" +
                                    core::did_you_mean(name, vectors.names()) +
                                    ". Add one: every treatment with pairs needs a vector");
    }
}

std::vector<std::string> check_can_train(const Screen& screen, const Split& split,
                                         const TreatmentVectors& vectors) {
    const std::vector<std::size_t> train = split.pairs(Part::train);
    if (train.empty())
        throw core::ConfigError("split", "found " + split.spec +
                                             ", which leaves no pair to train on. It serves the evaluation "
                                             "of an earlier run. --split none trains on all pairs");
    check_vectors(screen, vectors);
    const Conditions conditions = Conditions::from_pairs(screen, train, vectors);
    std::vector<std::string> notes;
    for (const Part part : {Part::validation, Part::test}) {
        const std::vector<std::size_t> pairs = split.pairs(part);
        const Unknown unknown = unknown_pairs(screen, pairs, conditions);
        if (unknown.pairs == 0) continue;
        const std::string why = "no training pair has " + unknown.noun() + unknown.names();
        if (part == Part::test && unknown.pairs == pairs.size()) {
            throw core::ConfigError(
                "split",
                "found " + split.spec + ", which needs --treatment-vectors: " + why +
                    ", and a treatment that was not trained on has no one-hot code. Without vectors, hold "
                    "out pairs whose treatments are also in the training part, or train on all pairs with "
                    "--split none");
        }
        notes.push_back(share_text(unknown.pairs, pairs.size(), std::string(part_name(part)) + " pair") +
                        " cannot be scored: " + why + " (see --treatment-vectors)");
    }
    return notes;
}

std::vector<std::string> check_can_score(const Screen& screen, std::span<const std::size_t> pairs,
                                         const Conditions& trained) {
    const Unknown unknown = unknown_pairs(screen, pairs, trained);
    if (unknown.pairs == 0) return {};
    const std::string why = trained.vectors().empty()
                                ? "the run was not trained on " + unknown.noun() + unknown.names()
                                : "the run has no vector for " + unknown.noun() + unknown.names();
    const std::string advice = trained.vectors().empty() ? " (see --treatment-vectors of popflow train)" : "";
    if (unknown.pairs == pairs.size())
        throw core::ConfigError("run", "found no pair that this run can be scored on: " + why + advice);
    return {share_text(unknown.pairs, pairs.size(), "pair") + " cannot be scored: " + why + advice};
}

}  // namespace popflow::screen
