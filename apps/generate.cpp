// SPDX-License-Identifier: MIT
#include "generate.hpp"

#include <algorithm>
#include <cstdio>

#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/results.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "output_path.hpp"
#include "predict/generated_file.hpp"
#include "predict/predictor.hpp"
#include "run_folder.hpp"

namespace popflow::apps {

bool generates_populations(const train::Checkpoint& checkpoint) {
    return checkpoint.model()->population_sampler() != nullptr;
}

predict::GenerateOptions generate_options(const options::RunConfig& config) {
    predict::GenerateOptions options = config.generate;
    options.cells = config.sampling.cells;
    options.tolerance = config.evaluate.tolerance;
    options.seed = config.evaluate.seed;
    options.times.clear();
    for (const double time : config.times) {
        if (time < 1) options.times.push_back(time);
    }
    std::ranges::sort(options.times);
    options.times.push_back(1);
    return options;
}

int generate_run(const options::RunConfig& config, const options::OptionTable& table,
                 const Arguments& arguments, const predict::GeneratorModel& generator,
                 const mpi::Communicator& comm) {
    for (const char* name : {"data", "from-controls", "clip", "max-cells"})
        refuse_option(arguments, name,
                      "is an option of predictions from controls, and the run generates populations from "
                      "noise. Leave it out");
    const train::Checkpoint& checkpoint = generator.checkpoint();
    const auto conditions = predict::chosen_conditions(checkpoint.conditions, config.treatments,
                                                       config.concentrations, config.concentration_quantity);
    check_output(config.output, "output", {config.data, config.config_file});
    if (comm.is_root()) eval::check_writable(config.output);
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::predict});
    if (comm.size() > 1) {
        mpi::check_same_on_all_ranks(comm, "configuration", config_text);
        mpi::check_same_on_all_ranks(comm, "weights of the run", train::checkpoint_digest(checkpoint));
    }
    const predict::GeneratedPlan plan{.path = config.output,
                                      .space = predict::parse_space(config.space, config.screen.transform),
                                      .transform = config.screen.transform,
                                      .conditions = conditions,
                                      .options = generate_options(config)};
    const predict::Provenance from{.method = checkpoint.family->name(),
                                   .base = "noise",
                                   .seed = config.train.seed,
                                   .steps = checkpoint.adam.step,
                                   .split = config.split,
                                   .config = config_text,
                                   .data_fingerprint = checkpoint.data_fingerprint,
                                   .ranks = comm.size()};
    const std::size_t cells = predict::write_generated(generator, plan, from, comm);
    if (!comm.is_root()) return done;
    std::vector<std::string> names;
    for (const screen::Population& c : conditions)
        names.push_back(screen::condition_name(c.treatment, c.concentration));
    std::printf("%s: %s of %s, generated for %s (%s values)\n", config.output.c_str(),
                core::counted(cells, "cell").c_str(),
                core::counted(conditions.size() * plan.options.populations, "population").c_str(),
                core::joined(names).c_str(), predict::space_name(plan.space, plan.transform).c_str());
    return done;
}

}  // namespace popflow::apps
