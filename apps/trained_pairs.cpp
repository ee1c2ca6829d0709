// SPDX-License-Identifier: MIT
#include "trained_pairs.hpp"

#include "core/text.hpp"
#include "eval/results.hpp"
#include "run_folder.hpp"
#include "training_split.hpp"

namespace popflow::apps {

namespace {

using TrainingIndices = std::map<std::size_t, std::size_t>;

// Returns the labels that identify a pair among all pairs of its data file.
std::vector<std::string> name_of(const screen::Screen& screen, std::size_t pair) {
    const screen::Population& treated = screen.populations[screen.pairs[pair].treated];
    std::vector<std::string> name = screen.experiments[treated.experiment].values;
    name.push_back(treated.treatment);
    name.push_back(core::plain_label(treated.concentration));
    return name;
}

TrainingIndices indices_of(const std::vector<std::size_t>& pairs) {
    TrainingIndices indices;
    for (const std::size_t pair : pairs) indices.emplace(pair, indices.size());
    return indices;
}

}  // namespace

TrainingIndices trained_pairs(const screen::Screen& screen, const screen::Split& split,
                              const options::RunConfig& config, const options::OptionTable& table,
                              const train::Checkpoint& checkpoint) {
    if (screen.fingerprint != checkpoint.data_fingerprint) return {};
    // A training without pairs has not seen which control belongs to a treated population.
    const models::Family& family = *checkpoint.family;
    if (family.items(*checkpoint.settings) == models::ItemKind::populations &&
        family.population_draws(*checkpoint.settings).is_unpaired())
        return {};
    options::RunConfig before;
    const std::vector<std::string> changed = changed_split_options(config, table, checkpoint, before);
    if (changed.empty()) return indices_of(split.pairs(screen::Part::train));

    if (config.screen.pair_by != before.screen.pair_by) {
        throw core::ConfigError("pair-by",
                                "found " + core::joined(config.screen.pair_by) +
                                    ", but the run was trained on this data with --pair-by " +
                                    core::joined(before.screen.pair_by, before.screen.pair_by.size()) +
                                    ". Omit --pair-by");
    }
    before.data = config.data;
    const screen::Screen screen_before = open_run_screen(before, checkpoint, true);
    std::map<std::vector<std::string>, std::size_t> index_by_name;
    for (const std::size_t pair : training_split(screen_before, before).pairs(screen::Part::train))
        index_by_name.emplace(name_of(screen_before, pair), index_by_name.size());
    TrainingIndices indices;
    for (std::size_t pair = 0; pair < screen.pairs.size(); ++pair) {
        const auto at = index_by_name.find(name_of(screen, pair));
        if (at == index_by_name.end()) {
            if (split.parts[pair] == screen::Part::train && screen::holds_out_nothing(config.split))
                throw core::ConfigError(
                    "split", "none makes all pairs training pairs, but the run was not trained on " +
                                 screen::pair_name(screen, pair) + ". Omit --split for the split of the run");
            continue;
        }
        if (split.parts[pair] != screen::Part::train) {
            throw core::ConfigError("run",
                                    core::joined(changed, changed.size()) + ": the pair " +
                                        screen::pair_name(screen, pair) +
                                        " would be held out, but the run was trained on it. Hold out pairs "
                                        "that it was not trained on, or add train to --parts");
        }
        indices.emplace(pair, at->second);
    }
    return indices;
}

}  // namespace popflow::apps
