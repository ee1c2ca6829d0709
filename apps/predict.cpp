// SPDX-License-Identifier: MIT
#include "console.hpp"
#include "predict/predictor.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "generate.hpp"
#include "map_problems.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "prediction_notes.hpp"
#include "progress.hpp"
#include "run_folder.hpp"

namespace popflow::apps {

namespace {

// Prints a line for each prediction that failed.
void report_failures(const std::vector<predict::FailedPrediction>& failed) {
    for (const predict::FailedPrediction& one : failed)
        print_message("popflow: not predicted: %s: %s", one.what.c_str(), one.message.c_str());
}

int predict_run(const options::RunConfig& config, const options::OptionTable& table,
                const predict::RunModel& model, const mpi::Communicator& comm) {
    const train::Checkpoint& checkpoint = model.checkpoint();
    check_output(config.output, "output", {config.data, config.config_file});
    const auto conditions = predict::chosen_conditions(checkpoint.conditions, config.treatments,
                                                       config.concentrations, config.concentration_quantity);
    const predict::Space space = predict::parse_space(config.space, config.screen.transform);
    if (comm.is_root()) eval::check_writable(config.output);
    const screen::Screen screen = open_same_run_screen(config, table, checkpoint, false, comm);
    print_data_notes(screen, comm);
    const predict::TrainedModel& trained = model.trained();
    predict::PredictionPlan plan = predict::plan_control_predictions(
        screen, conditions, checkpoint.conditions, trained.model.neighbours(), config.from_controls);
    plan.path = config.output;
    plan.space = space;
    plan.range = checkpoint.range;
    plan.clip = config.clip;
    plan.latent = checkpoint.latent.if_used();
    for (const double time : config.times) {
        if (time < 1) plan.times.push_back(time);
    }
    const std::size_t populations = plan.sources.size();
    predict::PredictionFile file(screen, checkpoint.normalisation, std::move(plan));
    if (comm.is_root()) {
        if (!checkpoint.selection.empty()) print_note(checkpoint.selection);
        print_unfinished(checkpoint, comm);
        std::ranges::for_each(file.plan().notes, print_note);
        if (const std::string note = predict::unknown_types_note(screen, checkpoint.cell_types);
            !note.empty())
            print_note(note);
        if (const auto& too_small = file.plan().too_small; !too_small.empty())
            print_note("not predicted, since the encoder needs more than " +
                       core::counted(trained.model.neighbours(), "cell") + ": " + core::joined(too_small));
        print_left_out(file);
    }
    const predict::PredictOptions options{.max_cells = config.evaluate.max_cells,
                                          .draw = config.evaluate.draw,
                                          .seed = config.evaluate.seed,
                                          .solver = config.evaluate.solver};
    predict::PredictionSummary summary;
    {
        Progress progress("predict", populations, 0, !comm.is_root(), config.log_seconds);
        summary = predict::predict(
            screen, conditions, trained, options, file, comm,
            [&](std::size_t n, std::size_t of) { progress.update(n * populations / of, "populations"); });
    }
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::predict});
    const std::size_t cells =
        file.write(comm, provenance(config, checkpoint, screen, config_text, comm), summary.described);
    if (!comm.is_root()) return done;
    std::vector<std::string> names;
    for (const screen::Population& c : conditions)
        names.push_back(screen::condition_name(c.treatment, c.concentration));
    print_result("%s: %s of %s, predicted for %s (%s values)\n", config.output.c_str(),
                 core::counted(cells, "cell").c_str(),
                 core::counted(populations, "control population").c_str(), core::joined(names).c_str(),
                 predict::space_name(space, config.screen.transform).c_str());
    print_outside(file, screen.markers, cells);
    print_far(file.plan().sources, summary.described.distances);
    report_failures(summary.failed);
    return summary.failed.empty() ? done : failed;
}

}  // namespace

int verb_predict(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{general, run_folder, options::Section::data, transport,
                                                 options::Section::predict};
    const std::string usage =
        "predict --run RUN --data C.h5ad --output P.h5ad [--treatment T] [--concentration C] [options]\n\n"
        "Predicts every treatment for every cell of every control population of C.h5ad. If vehicles are\n"
        "named, it predicts a treatment from its own vehicle (--from-controls). The options for reading\n"
        "the file are stored with the run and can be overridden. Raw values are the exact inverse\n"
        "of the transform, so they are negative if the model moves a cell below zero. --clip limits the "
        "cells\n"
        "to the range of the training cells. With --treatment the file needs no column of treatments: all "
        "its\n"
        "cells are then controls.\n\n"
        "A run of --source noise generates populations and needs no data: --number N populations of --cells "
        "M\n"
        "cells for each treatment. A run of --source subset:N completes N cells of each population of "
        "C.h5ad.\n\n"
        "A run of meta-icnn maps populations of F.h5ad to other ones (--problems).";
    if (parse_or_help(table, usage, arguments, sections, comm)) return done;
    require(config.run, "run", "RUN");
    require(config.output, "output", "P.h5ad");
    const std::string controls = config.data;
    train::Checkpoint checkpoint = open_run(config, table, arguments, sections);
    if (generates_populations(checkpoint))
        return generate_run(config, table, arguments, predict::GeneratorModel(std::move(checkpoint)),
                            controls, comm);
    if (maps_populations(checkpoint))
        return predict_map_run(config, table, arguments, predict::PotentialModel(std::move(checkpoint)),
                               controls, comm);
    require(controls, "data", "C.h5ad");
    for (const char* name : {"fine-tune", "fine-tune-from", "problems"})
        refuse_option(arguments, name, "is an option of a run of meta-icnn. Leave it out");
    for (const char* name : {"number", "cells", "set-cells", "guidance", "flow-steps", "flow-method"})
        refuse_option(
            arguments, name,
            "is an option of generated populations, and the run predicts treated cells from controls. "
            "Leave it out");
    const predict::RunModel trained(std::move(checkpoint));
    // A training without pairs has named its populations.
    if (trains_on_populations(config)) read_without_pairs(config);
    config.screen.all_are_controls = !config.treatments.empty();
    return predict_run(config, table, trained, comm);
}

}  // namespace popflow::apps
