// SPDX-License-Identifier: MIT
#include "population_mode.hpp"

#include "generate.hpp"
#include "map_problems.hpp"

namespace popflow::apps {

bool trains_on_populations(const options::RunConfig& config) {
    return !config.selects_method &&
           config.method->items(config.method_settings()) == models::ItemKind::populations;
}

namespace {

// Checks that the options of the draws from pairs make sense for populations without pairs.
void check_sampling(const train::PairSampling& sampling, models::PopulationForm form) {
    if (sampling.augmentation.any())
        throw core::ConfigError("augment",
                                "found '" + sampling.augmentation.text() +
                                    "', which changes both populations of a pair, but the training "
                                    "has no pairs. Omit --augment");
    if (form != models::PopulationForm::clouds) return;
    if (train::draws_rows(sampling.coupling))
        throw core::ConfigError("coupling",
                                "rows and rows-ot couple the rows of a pair, but the training has no pairs. "
                                "Give ot, entropic or random");
    if (sampling.coupling_scope == train::CouplingScope::condition)
        throw core::ConfigError(
            "coupling-scope",
            "condition couples the cells of several pairs, but the training has no pairs. "
            "Omit --coupling-scope");
}

}  // namespace

void set_population_mode(options::RunConfig& config, const options::OptionTable& table) {
    const bool has_populations = trains_on_populations(config);
    const models::PopulationDraws draws = has_populations
                                              ? config.method->population_draws(config.method_settings())
                                              : models::PopulationDraws{};
    const bool is_unpaired = has_populations && draws.is_unpaired();
    if (table.is_given("population") && !is_unpaired)
        throw core::ConfigError(
            "population",
            config.selects_method || config.method->population_draws(config.method_settings()).is_unpaired()
                ? "needs a method without pairs, such as --method bwfm, wfm or meta-icnn. The method is " +
                      (config.selects_method ? std::string("auto") : config.method->name()) +
                      ", which pairs the populations of the columns of --pair-by"
                : "--pairing known uses the pairs of --pair-by. Omit --population, or --pairing");
    if (!is_unpaired) return;
    check_sampling(config.sampling, draws.form);
    if (config.start.kind == models::StartKind::moment_map)
        throw core::ConfigError("start-map",
                                "moment-map needs pairs, and the training has none. Give none or mean-shift");
    if (config.start.kind != models::StartKind::none && !config.treatment_vectors.empty())
        throw core::ConfigError(
            "start-map",
            "needs one-hot treatments if the training has no pairs: a treatment that was "
            "not in training has no mean shift. Omit --treatment-vectors, or --start-map");
    read_without_pairs(config);
    config.screen.all_are_controls = draws.source != models::PopulationSource::control;
    config.validates = false;
}

void read_without_pairs(options::RunConfig& config) {
    config.screen.unpaired = true;
    config.screen.need_pairs = false;
    config.screen.all_are_controls = true;
    config.screen.population_columns = config.problems.populations.columns;
}

void set_scoring_mode(options::RunConfig& config, const train::Checkpoint& checkpoint) {
    if (generates_populations(checkpoint) || maps_populations(checkpoint)) return read_without_pairs(config);
    config.screen.unpaired = false;
    config.screen.need_pairs = true;
    config.screen.all_are_controls = false;
    config.screen.population_columns.clear();
}

}  // namespace popflow::apps
