// SPDX-License-Identifier: MIT
#include "evaluation.hpp"
#include "generate.hpp"
#include "map_problems.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "run_folder.hpp"
#include "set_evaluation.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int verb_evaluate(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{general, run_folder, options::Section::data,
                                                 split,   transport,  options::Section::evaluate};
    const std::string usage =
        "evaluate --run RUN --output R.h5 [--predictions P.h5ad] [options]\n\n"
        "Scored pairs are stored in R.h5.partial until R.h5 is complete. --resume continues with them.\n"
        "At most --max-cells random cells of each control are transported and scored. --predictions writes\n"
        "the same cells.\n\n"
        "A run of --source noise is evaluated by comparing populations that it generates with the held-out\n"
        "ones, for each treatment and each distance.";
    if (parse_or_help(table, usage, arguments, sections, comm)) return done;
    require(config.run, "run", "RUN");
    require(config.output, "output", "R.h5");
    if (config.dry_run == options::DryRunMode::options) return done;
    const std::string run = config.run;
    train::Checkpoint checkpoint = open_run(config, table, arguments, sections);
    set_scoring_mode(config, checkpoint);
    check_output(config.output, "output", {config.data, config.problems.problems, config.config_file},
                 RunFiles::results);
    const eval::Leftover leftover = config.resume ? eval::Leftover::keep : eval::Leftover::discard;
    if (generates_populations(checkpoint)) {
        refuse_option(arguments, "predictions",
                      "needs a run that predicts treated cells. Write generated populations with popflow "
                      "predict");
        refuse_option(arguments, "metrics", no_pair_scores);
        return evaluate_generated(run, predict::GeneratorModel(std::move(checkpoint)), config.output, config,
                                  table, leftover, "", comm);
    }
    if (maps_populations(checkpoint)) {
        refuse_option(arguments, "predictions",
                      "needs a run that predicts treated cells. Write mapped cells with popflow predict");
        return evaluate_maps(run, predict::PotentialModel(std::move(checkpoint)), config.output, config,
                             table, leftover, "", comm);
    }
    for (const char* name : {"fine-tune", "fine-tune-from", "problems"})
        refuse_option(arguments, name, "is an option of a run of meta-icnn. Leave it out");
    for (const char* name :
         {"guidance", "flow-steps", "distance", "permutations", "max-populations", "set-cells"})
        refuse_option(
            arguments, name,
            "is an option of generated populations, and the run predicts treated cells from controls. "
            "Leave it out");
    const predict::RunModel trained(std::move(checkpoint));
    return evaluate_run(run, trained, config.output, config, table, leftover, "", comm);
}

}  // namespace popflow::apps
