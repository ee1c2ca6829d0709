// SPDX-License-Identifier: MIT
#include "population_mode.hpp"

#include "core/text.hpp"
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
            "needs a method without pairs, such as --method bwfm. " +
                (has_populations ? std::string("--pairing known uses the pairs of --pair-by")
                                 : "The method is " + config.method->name() +
                                       ", which pairs the populations of the columns of --pair-by"));
    config.screen.unpaired = is_unpaired;
    if (!is_unpaired) return;
    config.screen.need_pairs = false;
    config.screen.all_are_controls = draws.source == models::PopulationSource::noise;
    config.screen.population_columns = config.problems.populations.columns;
    if (config.validation_units > 0 || config.keeps_best() || config.patience > 0)
        throw core::ConfigError(config.validation_units > 0 ? "validation"
                                : config.patience > 0       ? "patience"
                                                            : "keep",
                                "needs a validation of pairs, and " + config.method->name() +
                                    " trains without pairs here. Omit the option");
    config.validates = false;
}

void set_scoring_mode(options::RunConfig& config, const train::Checkpoint& checkpoint) {
    const bool generates = generates_populations(checkpoint);
    config.screen.unpaired = generates;
    config.screen.need_pairs = !generates;
    config.screen.all_are_controls = generates;
    config.screen.population_columns =
        generates ? config.problems.populations.columns : std::vector<std::string>{};
}

}  // namespace popflow::apps
