// SPDX-License-Identifier: MIT

#include "console.hpp"
#include "core/text.hpp"
#include "evaluation.hpp"
#include "folds.hpp"
#include "generate.hpp"
#include "map_problems.hpp"
#include "mpi/run_collectively.hpp"
#include "population_mode.hpp"
#include "precision.hpp"
#include "problem_training.hpp"
#include "run_folder.hpp"
#include "set_evaluation.hpp"
#include "train/checkpoint_folder.hpp"
#include "training_run.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Checks that pairs can be scored after a training without pairs, which would not find out otherwise.
// Collective.
void check_scored_pairs(const options::RunConfig& config, const mpi::Communicator& comm) {
    if (!trains_on_populations(config)) return;
    const models::PopulationDraws draws = config.method->population_draws(config.method_settings());
    if (draws.source != models::PopulationSource::control || !draws.is_unpaired() ||
        draws.form == models::PopulationForm::problems)
        return;
    mpi::run_collectively(comm, [&] {
        if (!comm.is_root()) return;
        screen::ScreenOptions options = config.screen;
        options.unpaired = false;
        options.need_pairs = true;
        options.all_are_controls = false;
        options.population_columns.clear();
        try {
            const screen::Screen screen = screen::open_screen(config.data, options);
            (void)screen::make_split(screen, config.split, config.split_seed);
        } catch (const core::UserError& error) {
            throw core::ConfigError(
                "pair-by",
                "popflow run trains without pairs and then scores the pairs of --pair-by, which fails: " +
                    std::string(error.what()) +
                    ". Name the columns of the pairs, or use popflow train and then predict");
        }
    });
}

// Trains and evaluates as configured into the folder config.output. Collective.
int run_one(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm) {
    const auto lock = lock_run_folder(config, comm);
    if (const int code = train_run(config, table, comm); code != done) return code;
    comm.barrier();
    train::Checkpoint checkpoint = train::read_checkpoint(train::checkpoint_path(config.output));
    set_scoring_mode(config, checkpoint);
    const std::string results = config.output + "/results.h5";
    // If the training has continued since, the pairs that were scored do not fit the new weights.
    const eval::Leftover leftover =
        config.resume ? eval::Leftover::keep_if_same_identity : eval::Leftover::discard;
    if (generates_populations(checkpoint))
        return evaluate_generated(config.output, predict::GeneratorModel(std::move(checkpoint)), results,
                                  config, table, leftover, log_path(config.output), comm);
    if (maps_populations(checkpoint))
        return evaluate_maps(config.output, predict::PotentialModel(std::move(checkpoint)), results, config,
                             table, leftover, log_path(config.output), comm);
    return evaluate_run(config.output, predict::RunModel(std::move(checkpoint)), results, config, table,
                        leftover, log_path(config.output), comm);
}

}  // namespace

int verb_run(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{
        general,   options::Section::data,    split, model, options::Section::train,
        transport, options::Section::evaluate};
    if (parse_or_help(table, "run --config F.cfg --output RUN [options]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "RUN");
    if (trains_on_problems(config))
        throw core::ConfigError("method",
                                config.method->name() +
                                    " predicts no cells that could be scored. Use popflow train, then "
                                    "popflow ot --start RUN");
    refuse_fold_option(config);
    if (trains_on_populations(config) &&
        config.method->population_draws(config.method_settings()).source != models::PopulationSource::control)
        refuse_option(arguments, "metrics", no_pair_scores);
    if (screen::is_leave_one_out(config.split))
        return run_folds({.arguments = arguments, .sections = sections, .has_scores = true, .run = run_one},
                         config, table, comm);
    check_scored_pairs(config, comm);
    resolve_precision(config, comm);
    if (config.dry_run != options::DryRunMode::none) return dry_run_training(config, table, comm);
    const int code = run_one(config, table, comm);
    if (comm.is_root() && code == done) {
        print_result(
            "\nThe results are in %s/results.h5. For a page with figures: popflow report %s --output "
            "report.html\n",
            config.output.c_str(), core::shell_word(config.output).c_str());
    }
    return code;
}

}  // namespace popflow::apps
