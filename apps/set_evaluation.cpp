// SPDX-License-Identifier: MIT
#include "set_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "console.hpp"
#include "core/text.hpp"
#include "eval/results.hpp"
#include "eval/set_results.hpp"
#include "evaluation.hpp"
#include "generate.hpp"
#include "prediction_notes.hpp"
#include "progress.hpp"
#include "report/set_report.hpp"
#include "run_folder.hpp"
#include "signals.hpp"
#include "train/training_table.hpp"
#include "training_split.hpp"

namespace popflow::apps {

namespace {

// Returns the part that is held out. If nothing is, the training part.
screen::Part held_out_part(const options::RunConfig& config) {
    if (screen::holds_out_nothing(config.split)) return screen::Part::train;
    if (config.evaluate.parts.size() > 1)
        throw core::ConfigError("parts", "found " + std::to_string(config.evaluate.parts.size()) +
                                             " parts, but generated populations are compared with one. Give "
                                             "one part");
    return config.evaluate.parts.front();
}

}  // namespace

int evaluate_generated(const std::string& run, const predict::GeneratorModel& generator,
                       const std::string& output, const options::RunConfig& config,
                       const options::OptionTable& table, eval::Leftover leftover, const std::string& log,
                       const mpi::Communicator& comm) {
    const train::Checkpoint& checkpoint = generator.checkpoint();
    const screen::Screen screen = open_same_run_screen(config, table, checkpoint, true, comm);
    const screen::Split split = evaluation_split(screen, config, table, checkpoint);
    const screen::Part part = held_out_part(config);
    const bool follows_training = !log.empty();
    if (!follows_training) {
        print_data_notes(screen, comm);
        print_unfinished(checkpoint, comm);
    }
    const std::string config_text =
        table.text(options::training_sections()) +
        table.text({options::Section::transport, options::Section::evaluate, options::Section::scores});
    if (comm.is_root()) eval::check_writable(output);
    if (config.dry_run != options::DryRunMode::none) {
        if (comm.is_root())
            print_result("run         %s: %s after %s\ndata        %s: %s, %s\nwrites      %s\n", run.c_str(),
                         checkpoint.family->name().c_str(),
                         core::counted(checkpoint.result_step(), "step").c_str(), config.data.c_str(),
                         core::counted(screen.pairs.size(), "population").c_str(),
                         core::counted(screen.markers.size(), "marker").c_str(), output.c_str());
        return done;
    }
    eval::SetEvaluationOptions options{.sets = config.sets,
                                       .generate = generate_options(config),
                                       .max_cells = config.evaluate.max_cells,
                                       .seed = config.evaluate.seed,
                                       .samples = config.evaluate.sample_pairs,
                                       .sample_cells = config.evaluate.sample_cells};
    eval::PartialResults partial(
        output, evaluation_identity(config_text, table.effects(), checkpoint, screen), leftover, comm);
    eval::SetEvaluation evaluation;
    {
        LogFile log_file(comm.is_root() ? log : "");
        std::optional<Progress> progress;
        evaluation =
            eval::evaluate_sets(screen, split, part, generator, options,
                                {.partial = &partial,
                                 .progress =
                                     [&](std::size_t n, std::size_t of) {
                                         if (!progress)
                                             progress.emplace("evaluate", of, partial.kept_items().size(),
                                                              !comm.is_root(), config.log_seconds, &log_file);
                                         progress->update(n, "sets");
                                     },
                                 .stop = stop_requested},
                                comm);
        if (evaluation.stopped) {
            if (comm.is_root()) print_message("stopped on request. Continue with --resume");
            return stopped;
        }
    }
    if (!comm.is_root()) return done;
    std::ranges::for_each(evaluation.notes, print_note);
    eval::SetResults results{
        .file = output,
        .provenance = provenance(config, checkpoint, screen, config_text, comm),
        .sets = eval::sets_frame(evaluation),
        .training =
            train::training_frame(train::read_training_table(run + "/training.h5", checkpoint.adam.step)),
        .markers = checkpoint.latent.is_empty() ? screen.markers : checkpoint.latent.names(),
        .samples = std::move(evaluation.samples)};
    eval::write_set_results(output, results);
    partial.remove();
    print_result("%s", report::set_report({results}, report::ReportFormat::text).c_str());
    return done;
}

}  // namespace popflow::apps
