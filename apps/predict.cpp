// SPDX-License-Identifier: MIT
#include "eval/predictor.hpp"

#include <cstdio>

#include "core/progress.hpp"
#include "core/text.hpp"
#include "output_path.hpp"
#include "run_folder.hpp"

namespace popflow::apps {

namespace {

// What could not be predicted, a line each.
void report_failures(const std::vector<eval::FailedPrediction>& failed) {
    for (const eval::FailedPrediction& one : failed)
        std::fprintf(stderr, "popflow: not predicted: %s: %s\n", one.what.c_str(), one.message.c_str());
}

int predict_run(const config::RunConfig& config, const config::OptionTable& table,
                const train::Checkpoint& checkpoint, const dist::Communicator& comm) {
    check_output(config.output, "output", {config.data, config.config_file});
    const auto conditions =
        eval::chosen_conditions(checkpoint.conditions, config.treatments, config.concentrations);
    const eval::Space space = eval::parse_space(config.space, config.screen.transform);
    if (comm.root()) eval::check_writable(config.output);
    const data::Screen screen = open_agreed_screen_of_run(config, table, checkpoint, false, comm);
    const std::unique_ptr<models::Model> model = checkpoint.model();
    const eval::TrainedFlow flow = trained_flow(*model, checkpoint);
    eval::PredictionPlan plan = eval::plan_of_controls(screen, conditions);
    plan.path = config.output;
    plan.space = space;
    for (const double time : config.times) {
        if (time < 1) plan.times.push_back(time);
    }
    const std::size_t populations = plan.sources.size();
    eval::PredictionFile file(screen, checkpoint.normalisation, std::move(plan));
    const eval::PredictOptions options{.max_cells = config.evaluate.max_cells,
                                       .draw = config.evaluate.draw,
                                       .seed = config.evaluate.seed,
                                       .tolerance = config.evaluate.tolerance};
    eval::PredictionSummary summary;
    {
        core::Progress progress("predict", populations, 0, !comm.root(), config.log_seconds);
        summary = eval::predict(
            screen, conditions, flow, options, file, comm,
            [&](std::size_t n, std::size_t of) { progress.update(n * populations / of, "populations"); });
    }
    const std::string config_text = table.text(config::training_sections()) +
                                    table.text({config::Section::transport, config::Section::predict});
    const std::size_t cells =
        file.write(comm, provenance(config, checkpoint, screen, config_text, comm), summary.embeddings);
    if (!comm.root()) return done;
    std::vector<std::string> names;
    for (const data::Population& c : conditions)
        names.push_back(eval::condition_name(c.treatment, c.concentration));
    std::printf("%s: %s of %s, carried to %s; %s\n", config.output.c_str(),
                core::counted(cells, "cell").c_str(),
                core::counted(populations, "control population").c_str(), core::joined(names).c_str(),
                eval::space_name(space, config.screen.transform).c_str());
    report_failures(summary.failed);
    return summary.failed.empty() ? done : failed;
}

}  // namespace

int predict(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, run_folder, config::Section::data, transport,
                                                config::Section::predict};
    const std::string usage =
        "predict --run RUN --data C.h5ad --output P.h5ad [--treatment T] [--concentration C] [options]\n\n"
        "Carries every cell of every control population of C.h5ad to each treatment. How the file is read "
        "is\n"
        "stored with the run; options override it. Raw values are the exact inverse of the transform: a "
        "cell\n"
        "that the model moved below zero stays there.";
    if (parse_or_help(table, usage, arguments, sections, comm)) return done;
    require(config.run, "run", "RUN");
    require(config.data, "data", "C.h5ad");
    require(config.output, "output", "P.h5ad");
    const train::Checkpoint checkpoint = open_run(config, table, arguments, sections);
    return predict_run(config, table, checkpoint, comm);
}

}  // namespace popflow::apps
