// SPDX-License-Identifier: MIT
#include "evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "console.hpp"
#include "core/checksum.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/pair_choice.hpp"
#include "eval/partial_results.hpp"
#include "eval/predictor.hpp"
#include "eval/results.hpp"
#include "eval/selection.hpp"
#include "eval/training_embeddings.hpp"
#include "metrics/mmd.hpp"
#include "output_path.hpp"
#include "population_mode.hpp"
#include "predict/predictor.hpp"
#include "prediction_notes.hpp"
#include "progress.hpp"
#include "report/report.hpp"
#include "run_folder.hpp"
#include "screen/trainable.hpp"
#include "selection.hpp"
#include "signals.hpp"
#include "train/training_table.hpp"
#include "trained_pairs.hpp"
#include "training_split.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Creates the file for the predictions of an evaluation. @param output  path of the results
std::unique_ptr<predict::PredictionFile> prediction_file(
    const options::RunConfig& config, const std::string& output, const screen::Screen& screen,
    const screen::Split& split, std::span<const std::size_t> pairs, const train::Checkpoint& checkpoint,
    const mpi::Communicator& comm) {
    check_output(config.predictions, "predictions", {config.data, config.config_file, output});
    if (comm.is_root()) eval::check_writable(config.predictions);
    predict::PredictionPlan plan = predict::plan_pair_predictions(screen, split, pairs);
    plan.path = config.predictions;
    plan.space = predict::parse_space(config.space, screen.options.transform);
    plan.range = checkpoint.range;
    plan.latent = checkpoint.latent.if_used();
    auto file = std::make_unique<predict::PredictionFile>(screen, checkpoint.normalisation, std::move(plan));
    if (comm.is_root()) print_left_out(*file);
    return file;
}

// Returns the parts to score. If nothing is held out, the training pairs take the place of the test pairs.
std::vector<screen::Part> parts_to_score(const options::RunConfig& config) {
    std::vector<screen::Part> parts = config.evaluate.parts;
    if (!screen::holds_out_nothing(config.split)) return parts;
    std::ranges::replace(parts, screen::Part::test, screen::Part::train);
    return parts;
}

// Returns a note about the step of the weights, empty if they are those of the last step.
std::string best_weights_note(const train::Checkpoint& checkpoint) {
    if (checkpoint.best.empty()) return "";
    return fmt::format(
        "the weights are those of step {} of {}, which had the lowest validation energy "
        "(--keep best)",
        checkpoint.result_step(), checkpoint.adam.step);
}

// Prints what the user should know about the data, unless a training has said it before. Collective.
// @param run_notes  notes about the run, empty ones are left out
void print_notes(const screen::Screen& screen, const predict::TrainedModel& trained,
                 const std::vector<std::string>& run_notes, const std::vector<std::string>& pair_notes,
                 bool follows_training, bool is_training_data, const options::RunConfig& config,
                 const mpi::Communicator& comm) {
    if (!follows_training) {
        print_data_notes(screen, comm);
        if (comm.is_root()) {
            std::ranges::for_each(pair_notes, print_note);
            const std::string note = predict::unknown_types_note(screen, trained.cell_types);
            if (!note.empty()) print_note(note);
        }
    }
    if (comm.is_root() && !follows_training) {
        for (const std::string& note : run_notes) {
            if (!note.empty()) print_note(note);
        }
    }
    if (comm.is_root() && trained.moment_map == nullptr && !trains_on_populations(config))
        print_note(
            "the tables have no row moment_map, because an earlier version of popflow trained the run. "
            "popflow train with the same options and --resume adds the moment map to the run");
    if (comm.is_root() && screen::holds_out_nothing(config.split) && is_training_data)
        print_note("--split none holds nothing out: the scores are those of the training pairs");
}

// Returns a note if the MMD of all predictors has its constant value on half of the pairs or more, else
// nothing. A prediction close to the truth alone can have that value by chance.
// @param dimensions  of the space of the model, in words
std::string constant_mmd_note(const eval::Evaluation& evaluation, const std::string& dimensions) {
    std::map<std::size_t, bool> is_constant;  // whether a pair has it
    for (const eval::PairScore& row : evaluation.scores) {
        if (std::isnan(row.scores.mmd)) continue;
        const auto at = is_constant.try_emplace(row.pair, true).first;
        at->second &= metrics::is_mmd_constant(row.scores.mmd, row.n_predicted, row.n_target);
    }
    const std::size_t pairs = is_constant.size();
    const auto constant = static_cast<std::size_t>(
        std::ranges::count(is_constant, true, [](const auto& p) { return p.second; }));
    if (pairs == 0 || 2 * constant < pairs) return "";
    return fmt::format(
        "note: the mmd of {} of {} pairs is the same for any predictor: its fixed kernels are too narrow for "
        "{}. "
        "Compare the column mmd_scaled",
        constant, pairs, dimensions);
}

// Returns the latent space of a model as an addition to a sentence, empty without one.
std::string latent_text(const predict::TrainedModel& trained) {
    if (trained.latent == nullptr) return "";
    return ", scored in " + core::counted(trained.latent->size(), "principal component") + " and mapped back";
}

// Returns the name of the control population of each of some pairs.
std::vector<std::string> control_labels(const screen::Screen& screen, const std::vector<std::size_t>& pairs) {
    std::vector<std::string> labels;
    for (const std::size_t pair : pairs)
        labels.push_back(screen::population_label(screen, screen.pairs[pair].control));
    return labels;
}

// Returns the table of the selection of a run, empty if its file is not in the folder.
h5::DataFrame stored_selection(const std::string& run) {
    if (!std::filesystem::exists(selection_path(run))) return {};
    const eval::StoredSelection stored = eval::read_selection(selection_path(run));
    return eval::selection_frame(stored.candidates, stored.scores, stored.choice.candidate);
}

// Returns the labels of the control populations of some pairs, one row each.
h5::DataFrame population_labels(const screen::Screen& screen, const std::vector<std::size_t>& pairs) {
    const std::pair<const char*, std::string screen::Population::*> columns[] = {
        {"patient", &screen::Population::patient},     {"culture", &screen::Population::culture},
        {"treatment", &screen::Population::treatment}, {"concentration", &screen::Population::concentration},
        {"replicate", &screen::Population::replicate}, {"plate", &screen::Population::plate}};
    h5::DataFrame frame;
    std::vector<std::string> names;
    for (const std::size_t pair : pairs) names.push_back(screen::pair_name(screen, pair));
    frame.add_categorical("pair", std::move(names));
    for (const auto& [name, member] : columns) {
        std::vector<std::string> labels;
        for (const std::size_t pair : pairs)
            labels.push_back(screen.populations[screen.pairs[pair].control].*member);
        frame.add_categorical(name, std::move(labels));
    }
    return frame;
}

}  // namespace

eval::EvaluationIdentity evaluation_identity(const std::string& config_text,
                                             const core::OptionEffects& effects,
                                             const train::Checkpoint& checkpoint,
                                             const screen::Screen& screen) {
    eval::EvaluationIdentity identity = eval::option_identity(config_text, effects);
    core::Checksum weights;
    weights.add(checkpoint.result_step());
    weights.add(std::span<const float>(checkpoint.result()));
    identity["weights of the run"] = weights.text();
    identity["data fingerprint"] = screen.fingerprint;
    identity["program"] = std::string(core::version()) + " " + core::commit();
    return identity;
}

int evaluate_run(const std::string& run, const predict::RunModel& model, const std::string& output,
                 const options::RunConfig& config, const options::OptionTable& table, eval::Leftover leftover,
                 const std::string& log, const mpi::Communicator& comm) {
    const train::Checkpoint& checkpoint = model.checkpoint();
    const predict::TrainedModel& trained = model.trained();
    const screen::Screen screen = open_same_run_screen(config, table, checkpoint, true, comm);
    const screen::Split split = evaluation_split(screen, config, table, checkpoint);
    const std::vector<std::size_t> pairs = eval::chosen_pairs(
        screen, split, parts_to_score(config), config.evaluate.train_pairs, config.evaluate.seed);
    const auto pair_notes = screen::check_can_score(screen, pairs, trained.conditions);
    const bool follows_training = !log.empty();
    print_notes(
        screen, trained, {checkpoint.selection, best_weights_note(checkpoint), unfinished_note(checkpoint)},
        pair_notes, follows_training, screen.fingerprint == checkpoint.data_fingerprint, config, comm);
    const std::string config_text = table.text(options::training_sections()) +
                                    table.text({options::Section::transport, options::Section::evaluate});
    // Reports a path that cannot be written before hours of work.
    if (comm.is_root()) eval::check_writable(output);
    if (config.dry_run != options::DryRunMode::none && !config.predictions.empty()) {
        check_output(config.predictions, "predictions", {config.data, config.config_file, output});
        if (comm.is_root()) eval::check_writable(config.predictions);
    }
    std::unique_ptr<predict::PredictionFile> predictions;
    if (!config.predictions.empty() && config.dry_run == options::DryRunMode::none)
        predictions = prediction_file(config, output, screen, split, pairs, checkpoint, comm);
    eval::EvaluateOptions options = config.evaluate;
    options.sampled = options.sample.empty()
                          ? eval::sampled_pairs(screen, split, pairs, options.sample_pairs)
                          : eval::named_pairs(screen, pairs, options.sample, options.sample_pairs);
    options.trained = trained_pairs(screen, split, config, table, checkpoint);
    if (config.dry_run != options::DryRunMode::none) {
        if (comm.is_root()) {
            print_result(
                "run         %s: %s after %s\ndata        %s: %s, %s\nscores      %s\nwrites      %s%s\n",
                run.c_str(), checkpoint.family->name().c_str(),
                core::counted(checkpoint.result_step(), "step").c_str(), config.data.c_str(),
                core::counted(screen.pairs.size(), "pair").c_str(),
                (core::counted(screen.markers.size(), "marker") + latent_text(trained)).c_str(),
                core::counted(pairs.size(), "pair").c_str(), output.c_str(),
                config.predictions.empty() ? "" : (", " + config.predictions).c_str());
        }
        return done;
    }
    eval::PartialResults partial(
        output, evaluation_identity(config_text, table.effects(), checkpoint, screen), leftover, comm);
    eval::Evaluation evaluation;
    {
        LogFile log_file(comm.is_root() ? log : "");
        Progress progress("evaluate", pairs.size(), partial.kept_items().size(), !comm.is_root(),
                          config.log_seconds, &log_file);
        evaluation =
            eval::evaluate(screen, pairs, trained, options,
                           {.partial = &partial,
                            .progress = [&](std::size_t n, std::size_t) { progress.update(n, "pairs"); },
                            .stop = stop_requested},
                           predictions.get(), comm);
        if (evaluation.stopped) {
            progress.message(fmt::format("stopped on request after {} of {} pairs. Continue with --resume",
                                         evaluation.pairs.size(), pairs.size()));
            return stopped;
        }
        const std::string note = constant_mmd_note(
            evaluation, trained.latent != nullptr ? core::counted(trained.latent->size(), "component")
                                                  : core::counted(screen.markers.size(), "marker"));
        if (comm.is_root() && !note.empty()) progress.message(note);
    }
    eval::TrainingEmbeddings trained_on;
    // The code of a method that indexes its training pairs does not describe their populations.
    const bool embeds = trained.model.context_size() > 0 && !checkpoint.family->indexes_pairs();
    if (const std::vector<std::size_t> trained_pairs = eval::training_populations(screen, options);
        embeds && !trained_pairs.empty()) {
        trained_on = eval::embed_training_populations(screen, trained_pairs, trained, options,
                                                      {.stop = stop_requested}, comm);
        if (trained_on.stopped) {
            if (comm.is_root()) print_message("stopped on request after all pairs. Continue with --resume");
            return stopped;
        }
    }
    const predict::Provenance from = provenance(config, checkpoint, screen, config_text, comm);
    if (predictions) {
        const std::size_t cells = predictions->write(
            comm, from, {.embeddings = evaluation.embeddings, .distances = eval::pair_distances(evaluation)});
        if (comm.is_root()) print_outside(*predictions, screen.markers, cells);
    }
    if (!comm.is_root()) return done;
    print_far(control_labels(screen, evaluation.pairs), eval::pair_distances(evaluation));
    eval::Results results{.provenance = from,
                          .pairs = eval::pairs_frame(screen, split, evaluation),
                          .embeddings = std::move(evaluation.embeddings),
                          .training_populations = population_labels(screen, trained_on.pairs),
                          .training_embeddings = std::move(trained_on.values),
                          .markers = trained.latent != nullptr ? trained.latent->names() : screen.markers,
                          .samples = std::move(evaluation.samples)};
    results.summary = eval::summarise(results.pairs);
    results.training =
        train::training_frame(train::read_training_table(run + "/training.h5", checkpoint.adam.step));
    if (!checkpoint.selection.empty()) results.selection = stored_selection(run);
    results.validation =
        train::validation_frame(train::read_validation_table(run + "/training.h5", checkpoint.adam.step));
    for (std::size_t p : evaluation.pairs) results.embedding_names.push_back(screen::pair_name(screen, p));
    eval::write_results(output, results);
    partial.remove();
    print_result("%s", report::report_text({results}, table.effects()).c_str());
    return done;
}

}  // namespace popflow::apps
