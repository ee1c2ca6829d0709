// SPDX-License-Identifier: MIT
#include "folds.hpp"
#include "precision.hpp"
#include "run_folder.hpp"
#include "training_run.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Trains as configured into the folder config.output. Collective.
int train_one(options::RunConfig& config, const options::OptionTable& table, const mpi::Communicator& comm) {
    const auto lock = lock_run_folder(config, comm);
    return train_run(config, table, comm);
}

}  // namespace

int verb_train(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{general, options::Section::data, split, model,
                                                 options::Section::train};
    if (parse_or_help(table, "train --data F.h5ad --output RUN [options]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "RUN");
    refuse_fold_option(config);
    if (screen::is_leave_one_out(config.split))
        return run_folds(
            {.arguments = arguments, .sections = sections, .has_scores = false, .run = train_one}, config,
            table, comm);
    resolve_precision(config, comm);
    if (config.dry_run != options::DryRunMode::none) return dry_run_training(config, table, comm);
    return train_one(config, table, comm);
}

}  // namespace popflow::apps
