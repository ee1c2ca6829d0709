// SPDX-License-Identifier: MIT
#include "generate.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "console.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/results.hpp"
#include "eval/set_comparison.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "predict/generated_file.hpp"
#include "predict/predictor.hpp"
#include "predict/trained_model.hpp"
#include "run_folder.hpp"

namespace popflow::apps {

bool generates_populations(const train::Checkpoint& checkpoint) {
    return checkpoint.model()->population_sampler() != nullptr;
}

predict::GenerateOptions generate_options(const options::RunConfig& config) {
    predict::GenerateOptions options = config.generate;
    options.cells = config.sampling.cells;
    options.solver = config.evaluate.solver;
    options.seed = config.evaluate.seed;
    options.times.clear();
    for (const double time : config.times) {
        if (time < 1) options.times.push_back(time);
    }
    std::ranges::sort(options.times);
    options.times.push_back(1);
    return options;
}

namespace {

// Populations whose given cells a model completes.
struct ToComplete {
    screen::Screen screen;
    std::vector<std::size_t> populations;  ///< indices into Screen::populations
    std::vector<std::string> names;        ///< their experiments, with the condition if that is needed
    std::vector<screen::Population> conditions;
};

// Opens the data file and checks its populations. With --treatment, all of them get this treatment.
ToComplete open_to_complete(options::RunConfig& config, const options::OptionTable& table,
                            const predict::GeneratorModel& generator, const mpi::Communicator& comm) {
    const train::Checkpoint& checkpoint = generator.checkpoint();
    read_without_pairs(config);
    ToComplete open{open_same_run_screen(config, table, checkpoint, false, comm), {}, {}, {}};
    std::vector<screen::Population> given;
    if (!config.treatments.empty()) {
        given = predict::chosen_conditions(checkpoint.conditions, config.treatments, config.concentrations,
                                           config.concentration_quantity);
        if (given.size() > 1)
            throw core::ConfigError("treatment", "found " + std::to_string(given.size()) +
                                                     " conditions, but a population is completed under one. "
                                                     "Give one treatment and concentration");
    }
    const std::size_t least = generator.sampler().given_cells();
    for (const screen::PopulationPair& pair : open.screen.pairs) {
        const screen::Population& population = open.screen.populations[pair.treated];
        const std::string name = screen::population_label(open.screen, pair.treated);
        if (population.n_cells < least)
            throw core::DataError(config.data, "obs",
                                  "population " + name + ": found " +
                                      core::counted(population.n_cells, "cell") + ", but the run completes " +
                                      std::to_string(least) +
                                      ". Leave smaller populations out with --min-cells");
        const screen::Population& condition = given.empty() ? population : given.front();
        if (!checkpoint.conditions.can_encode(condition.treatment))
            throw core::DataError(config.data, "obs",
                                  "population " + name + ": the run was not trained on treatment '" +
                                      condition.treatment + "'. Give its treatment with --treatment");
        open.populations.push_back(pair.treated);
        open.names.push_back(open.screen.experiments[population.experiment].label);
        open.conditions.push_back(condition);
    }
    const std::set<std::string> distinct(open.names.begin(), open.names.end());
    for (std::size_t k = 0; k < open.names.size() && distinct.size() < open.names.size(); ++k)
        open.names[k] = screen::population_label(open.screen, open.populations[k]);
    return open;
}

}  // namespace

int generate_run(options::RunConfig& config, const options::OptionTable& table, const Arguments& arguments,
                 const predict::GeneratorModel& generator, const std::string& data,
                 const mpi::Communicator& comm) {
    const bool completes = generator.sampler().given_cells() > 0;
    for (const char* name : {"data", "from-controls", "clip", "max-cells"}) {
        if (completes && name == std::string("data")) continue;
        refuse_option(arguments, name,
                      std::string("is an option of predictions from controls, and the run ") +
                          (completes ? "completes populations. Leave it out"
                                     : "generates populations from noise. Leave it out"));
    }
    if (completes) require(data, "data", "C.h5ad");
    const train::Checkpoint& checkpoint = generator.checkpoint();
    const bool has_own_sizes = config.sets.cells == eval::SetCells::own;
    if (has_own_sizes && (completes || generator.sizes().empty()))
        throw core::ConfigError("set-cells",
                                std::string("found 'own', but the run '") + config.run + "' " +
                                    (completes ? "completes populations"
                                               : "is of an earlier version and lacks the sizes of "
                                                 "the training populations") +
                                    ". Give --cells N");
    if (has_own_sizes)
        refuse_option(arguments, "cells", "cannot be combined with --set-cells own. Leave one of them out");
    check_output(config.output, "output", {config.data, config.config_file});
    if (comm.is_root()) eval::check_writable(config.output);
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::predict}) +
                                    (has_own_sizes ? "set-cells = own\n" : "");
    if (comm.size() > 1) {
        mpi::check_same_on_all_ranks(comm, "configuration", config_text);
        mpi::check_same_on_all_ranks(comm, "weights of the run", train::checkpoint_digest(checkpoint));
    }
    std::optional<ToComplete> to_complete;
    if (completes) to_complete.emplace(open_to_complete(config, table, generator, comm));
    const std::vector<screen::Population> conditions =
        completes ? to_complete->conditions
                  : predict::chosen_conditions(checkpoint.conditions, config.treatments,
                                               config.concentrations, config.concentration_quantity);
    predict::GeneratedPlan plan{.path = config.output,
                                .space = predict::parse_space(config.space, config.screen.transform),
                                .transform = config.screen.transform,
                                .conditions = conditions,
                                .options = generate_options(config)};
    plan.options.own_sizes = has_own_sizes;
    std::optional<predict::ScreenReader> reader;
    if (completes) {
        if (!table.is_given("number")) plan.options.populations = 1;
        plan.names = to_complete->names;
        reader.emplace(to_complete->screen, checkpoint.normalisation, checkpoint.latent.if_used(),
                       checkpoint.cell_types);
        plan.given = [&](std::size_t k) {
            const std::size_t population[] = {to_complete->populations[k]};
            const std::string name = screen::population_label(to_complete->screen, population[0]);
            return predict::PopulationToComplete{
                name, to_complete->conditions[k],
                predict::draw_given(generator, name, reader->read(population).front().x.view(),
                                    plan.options.seed)};
        };
    }
    const predict::Provenance from{.method = checkpoint.family->name(),
                                   .base = completes ? "subset" : "noise",
                                   .seed = config.train.seed,
                                   .steps = checkpoint.adam.step,
                                   .split = config.split,
                                   .config = config_text,
                                   .data_fingerprint = checkpoint.data_fingerprint,
                                   .ranks = comm.size()};
    print_unfinished(checkpoint, comm);
    const std::size_t cells = predict::write_generated(generator, plan, from, comm);
    if (!comm.is_root()) return done;
    std::vector<std::string> names;
    for (const screen::Population& c : conditions) {
        std::string name = screen::condition_name(c.treatment, c.concentration);
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    print_result("%s: %s of %s, %s for %s (%s values)\n", config.output.c_str(),
                 core::counted(cells, "cell").c_str(),
                 core::counted(conditions.size() * plan.options.populations, "population").c_str(),
                 completes ? "completed" : "generated", core::joined(names).c_str(),
                 predict::space_name(plan.space, plan.transform).c_str());
    return done;
}

}  // namespace popflow::apps
