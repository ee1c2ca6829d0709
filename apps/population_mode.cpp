// SPDX-License-Identifier: MIT
#include "population_mode.hpp"

#include "generate.hpp"

namespace popflow::apps {

bool trains_on_populations(const options::RunConfig& config) {
    return !config.selects_method &&
           config.method->items(config.method_settings()) == models::ItemKind::populations;
}

void set_population_mode(options::RunConfig& config, const options::OptionTable& table) {
    const bool has_populations = trains_on_populations(config);
    const models::PopulationDraws draws = has_populations
                                              ? config.method->population_draws(config.method_settings())
                                              : models::PopulationDraws{};
    const bool is_unpaired = has_populations && draws.is_unpaired();
    if (table.is_given("population") && !is_unpaired)
        throw core::ConfigError(
            "population",
            "needs a method without pairs, such as --method bwfm or wfm. " +
                (has_populations ? std::string("--pairing known uses the pairs of --pair-by")
                                 : "The method is " + config.method->name() +
                                       ", which pairs the populations of the columns of --pair-by"));
    if (!is_unpaired) return;
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
    if (generates_populations(checkpoint)) return read_without_pairs(config);
    config.screen.unpaired = false;
    config.screen.need_pairs = true;
    config.screen.all_are_controls = false;
    config.screen.population_columns.clear();
}

}  // namespace popflow::apps
