// SPDX-License-Identifier: MIT
#include "map_problems.hpp"

#include <algorithm>
#include <limits>

#include "console.hpp"
#include "core/text.hpp"
#include "eval/map_results.hpp"
#include "eval/map_task.hpp"
#include "eval/results.hpp"
#include "evaluation.hpp"
#include "log_file.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "predict/map_predictor.hpp"
#include "prediction_notes.hpp"
#include "problems/problem_list.hpp"
#include "progress.hpp"
#include "report/map_report.hpp"
#include "run_folder.hpp"
#include "signals.hpp"
#include "train/training_table.hpp"
#include "training_split.hpp"

namespace popflow::apps {

bool maps_populations(const train::Checkpoint& checkpoint) {
    return checkpoint.model()->potential_predictor() != nullptr;
}

namespace {

// Returns the problems of --problems between some populations, all pairs by default.
std::vector<predict::MapProblem> map_problems(const options::RunConfig& config, const screen::Screen& screen,
                                              const std::vector<std::size_t>& populations) {
    if (populations.empty())
        throw core::ConfigError("problems", "there is no population in the part of the split to score");
    std::vector<std::string> names;
    for (const std::size_t population : populations)
        names.push_back(predict::map_population_name(screen, population));
    const problems::ProblemList list =
        problems::list_problems(config.problems.problems.empty() ? "all" : config.problems.problems, names,
                                nullptr, config.evaluate.seed);
    std::vector<predict::MapProblem> result;
    for (std::size_t k = 0; k < list.problems.size(); ++k) {
        const problems::Problem& problem = list.problems[k];
        result.push_back({.source = populations[problem.source],
                          .target = populations[problem.target],
                          .name = list.names.empty() ? names[problem.source] + " -> " + names[problem.target]
                                                     : list.names[k]});
    }
    return result;
}

// Returns the populations of the parts to score. If nothing is held out, those of the training part.
std::vector<std::size_t> scored_populations(const options::RunConfig& config, const screen::Screen& screen,
                                            const screen::Split& split) {
    std::vector<screen::Part> parts = config.evaluate.parts;
    if (screen::holds_out_nothing(config.split)) parts = {screen::Part::train};
    std::vector<std::size_t> populations;
    for (const screen::Part part : parts) {
        for (const std::size_t pair : split.pairs(part)) populations.push_back(screen.pairs[pair].treated);
    }
    std::ranges::sort(populations);
    return populations;
}

}  // namespace

int evaluate_maps(const std::string& run, const predict::PotentialModel& model, const std::string& output,
                  const options::RunConfig& config, const options::OptionTable& table,
                  eval::Leftover leftover, const std::string& log, const mpi::Communicator& comm) {
    const train::Checkpoint& checkpoint = model.checkpoint();
    const screen::Screen screen = open_same_run_screen(config, table, checkpoint, true, comm);
    const screen::Split split = evaluation_split(screen, config, table, checkpoint);
    const std::vector<predict::MapProblem> problems =
        map_problems(config, screen, scored_populations(config, screen, split));
    if (log.empty()) {
        print_data_notes(screen, comm);
        print_unfinished(checkpoint, comm);
    }
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::evaluate});
    if (comm.is_root()) eval::check_writable(output);
    if (config.dry_run != options::DryRunMode::none) {
        if (comm.is_root())
            print_result(
                "run         %s: %s after %s\ndata        %s: %s, %s\nscores      %s\nwrites      %s\n",
                run.c_str(), checkpoint.family->name().c_str(),
                core::counted(checkpoint.result_step(), "step").c_str(), config.data.c_str(),
                core::counted(screen.pairs.size(), "population").c_str(),
                core::counted(screen.markers.size(), "marker").c_str(),
                core::counted(problems.size(), "problem").c_str(), output.c_str());
        return done;
    }
    eval::EvaluationIdentity identity = evaluation_identity(config_text, table.effects(), checkpoint, screen);
    for (const predict::MapProblem& problem : problems) identity["problems"] += problem.name + "\n";
    eval::PartialResults partial(output, identity, leftover, comm);
    const eval::MapEvaluationOptions options{.fine_tune = config.fine_tune,
                                             .max_cells = config.evaluate.max_cells,
                                             .draw = config.evaluate.draw,
                                             .seed = config.evaluate.seed};
    eval::MapTask task(screen, problems, model, options);
    eval::TaskOutcome outcome;
    {
        LogFile log_file(comm.is_root() ? log : "");
        Progress progress("evaluate", problems.size(), partial.kept_items().size(), !comm.is_root(),
                          config.log_seconds, &log_file);
        outcome =
            eval::run_task(task,
                           {.partial = &partial,
                            .progress = [&](std::size_t n, std::size_t) { progress.update(n, "problems"); },
                            .stop = stop_requested},
                           comm);
        if (outcome.stopped) {
            progress.message("stopped on request. Continue with --resume");
            return stopped;
        }
    }
    if (!comm.is_root()) return done;
    const eval::MapResults results{
        .file = output,
        .provenance = provenance(config, checkpoint, screen, config_text, comm),
        .problems = eval::map_frame(screen, problems, eval::map_rows(outcome.records)),
        .training =
            train::training_frame(train::read_training_table(run + "/training.h5", checkpoint.adam.step))};
    eval::write_map_results(output, results);
    partial.remove();
    print_result("%s", report::map_report({results}, report::ReportFormat::text).c_str());
    return done;
}

int predict_map_run(options::RunConfig& config, const options::OptionTable& table, const Arguments& arguments,
                    const predict::PotentialModel& model, const std::string& data,
                    const mpi::Communicator& comm) {
    require(data, "data", "F.h5ad");
    for (const char* name : {"number", "cells", "set-cells", "guidance", "flow-steps", "flow-method",
                             "treatment", "concentration", "times", "from-controls"})
        refuse_option(arguments, name,
                      "does not apply to a run of meta-icnn, which maps populations to other ones. Name them "
                      "with --problems");
    const train::Checkpoint& checkpoint = model.checkpoint();
    read_without_pairs(config);
    config.split = "none";
    check_output(config.output, "output", {config.data, config.problems.problems, config.config_file});
    const predict::Space space = predict::parse_space(config.space, config.screen.transform);
    if (comm.is_root()) eval::check_writable(config.output);
    const screen::Screen screen = open_same_run_screen(config, table, checkpoint, false, comm);
    std::vector<std::size_t> populations;
    for (const screen::PopulationPair& pair : screen.pairs) populations.push_back(pair.treated);
    const std::vector<predict::MapProblem> problems = map_problems(config, screen, populations);
    print_data_notes(screen, comm);
    predict::PredictionPlan plan = predict::plan_maps(screen, problems);
    plan.path = config.output;
    plan.space = space;
    plan.range = checkpoint.range;
    plan.clip = config.clip;
    plan.latent = checkpoint.latent.if_used();
    predict::PredictionFile file(screen, checkpoint.normalisation, std::move(plan));
    if (comm.is_root()) print_left_out(file);
    std::vector<predict::FailedMap> failures;
    {
        Progress progress("predict", problems.size(), 0, !comm.is_root(), config.log_seconds);
        failures = predict::predict_maps(
            screen, problems, model, config.fine_tune, config.evaluate.seed, file, comm,
            [&](std::size_t n, std::size_t of) { progress.update(n * problems.size() / of, "problems"); });
    }
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::predict});
    const predict::SourceDescriptions described{
        .embeddings = linalg::Matrix<float>(problems.size(), 0),
        .distances = std::vector<double>(problems.size(), std::numeric_limits<double>::quiet_NaN())};
    const std::size_t cells =
        file.write(comm, provenance(config, checkpoint, screen, config_text, comm), described);
    if (!comm.is_root()) return done;
    print_result("%s: %s of %s (%s values)\n", config.output.c_str(), core::counted(cells, "cell").c_str(),
                 core::counted(problems.size(), "problem").c_str(),
                 predict::space_name(space, config.screen.transform).c_str());
    print_outside(file, screen.markers, cells);
    for (const predict::FailedMap& one : failures)
        print_message("popflow: not predicted: %s: %s", one.problem.c_str(), one.message.c_str());
    return failures.empty() ? done : failed;
}

}  // namespace popflow::apps
