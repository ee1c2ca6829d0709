// SPDX-License-Identifier: MIT
#include <cstdio>
#include <memory>

#include "core/progress.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "eval/pair_choice.hpp"
#include "eval/partial_results.hpp"
#include "eval/predictor.hpp"
#include "eval/report.hpp"
#include "eval/results.hpp"
#include "output_path.hpp"
#include "run_folder.hpp"
#include "train/training_table.hpp"
#include "trained_pairs.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

/// The file that the predictions of an evaluation go to.
/// @param output  the file of the scores
std::unique_ptr<eval::PredictionFile> prediction_file(const config::RunConfig& config,
                                                      const std::string& output, const data::Screen& screen,
                                                      const data::Split& split,
                                                      std::span<const std::size_t> pairs,
                                                      const eval::TrainedFlow& flow,
                                                      const dist::Communicator& comm) {
    check_output(config.predictions, "predictions", {config.data, config.config_file, output});
    if (comm.root()) eval::check_writable(config.predictions);
    eval::PredictionPlan plan = eval::plan_of_pairs(screen, split, pairs);
    plan.path = config.predictions;
    plan.space = eval::parse_space(config.space, screen.options.transform);
    return std::make_unique<eval::PredictionFile>(screen, flow.normalisation, std::move(plan));
}

/// What the scores of a pair depend on.
eval::EvaluationIdentity identity(const std::string& config_text, const train::Checkpoint& checkpoint,
                                  const data::Screen& screen) {
    eval::EvaluationIdentity identity;
    for (auto& [key, value] : core::key_values(config_text)) identity[key] = value;
    // Where the data lie, how training was watched, and what other files are written.
    for (const char* key : {"data", "checkpoint-every", "log-every", "space"}) identity.erase(key);
    std::uint64_t digest = checkpoint.adam.step;
    const auto bytes = std::as_bytes(std::span(checkpoint.adam.average));
    for (const std::byte b : bytes) digest = (digest ^ static_cast<std::uint64_t>(b)) * 0x100000001b3U;
    identity["weights of the run"] = std::to_string(digest);
    identity["data fingerprint"] = screen.fingerprint;
    identity["program"] = std::string(core::version()) + " " + core::commit();
    return identity;
}

/// Scores a checkpoint of the run in folder `run` and writes `output`. Rank 0 prints the table. Returns the
/// exit code, `done` or `stopped`. @param log  file that gets the lines of progress; may be empty
int evaluate_run(const std::string& run, const train::Checkpoint& checkpoint, const std::string& output,
                 const config::RunConfig& config, const config::OptionTable& table, eval::Leftover leftover,
                 const std::string& log, const dist::Communicator& comm) {
    const data::Screen screen = open_agreed_screen_of_run(config, table, checkpoint, true, comm);
    const data::Split split = data::make_split(screen, config.split, config.split_seed);
    const std::unique_ptr<models::Model> model = checkpoint.model();
    const eval::TrainedFlow flow = trained_flow(*model, checkpoint);
    const std::vector<std::size_t> pairs = eval::chosen_pairs(
        screen, split, config.evaluate.parts, config.evaluate.train_pairs, config.evaluate.seed);
    const std::string config_text = table.text(config::training_sections()) +
                                    table.text({config::Section::transport, config::Section::evaluate});
    // The first file of its name shows a path that cannot be written to before hours of work.
    if (comm.root()) eval::check_writable(output);
    std::unique_ptr<eval::PredictionFile> predictions;
    if (!config.predictions.empty())
        predictions = prediction_file(config, output, screen, split, pairs, flow, comm);
    eval::EvaluateOptions options = config.evaluate;
    options.sampled = options.sample.empty()
                          ? eval::sampled_pairs(screen, split, pairs, options.sample_pairs)
                          : eval::named_pairs(screen, pairs, options.sample, options.sample_pairs);
    options.trained = trained_pairs(screen, split, config, table, checkpoint);
    eval::PartialResults partial(output, identity(config_text, checkpoint, screen), leftover, comm);
    eval::Evaluation evaluation;
    {
        core::LogFile log_file(comm.root() ? log : "");
        core::Progress progress("evaluate", pairs.size(), partial.kept_pairs().size(), !comm.root(),
                                config.log_seconds, &log_file);
        evaluation =
            eval::evaluate(screen, pairs, flow, options,
                           {.predictions = predictions.get(),
                            .partial = &partial,
                            .progress = [&](std::size_t n, std::size_t) { progress.update(n, "pairs"); },
                            .stop = stop_requested},
                           comm);
        if (evaluation.stopped) {
            progress.message("stopped on request after " + std::to_string(evaluation.pairs.size()) + " of " +
                             std::to_string(pairs.size()) + " pairs; go on with --resume");
            return stopped;
        }
    }
    const eval::Provenance from = provenance(config, checkpoint, screen, config_text, comm);
    if (predictions) predictions->write(comm, from, evaluation.embeddings);
    if (!comm.root()) return done;
    eval::Results results{.provenance = from,
                          .pairs = eval::pairs_frame(screen, split, evaluation),
                          .embeddings = std::move(evaluation.embeddings),
                          .markers = screen.markers,
                          .samples = std::move(evaluation.samples)};
    results.summary = eval::summarise(results.pairs);
    results.training =
        train::training_frame(train::read_training_table(run + "/training.h5", checkpoint.adam.step));
    for (std::size_t p : evaluation.pairs) results.embedding_names.push_back(eval::pair_name(screen, p));
    eval::write_results(output, results);
    partial.remove();
    std::printf("%s", eval::report_text({results}).c_str());
    return done;
}

}  // namespace

int evaluate(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, run_folder, config::Section::data,
                                                split,   transport,  config::Section::evaluate};
    const std::string usage =
        "evaluate --run RUN --output R.h5 [--predictions P.h5ad] [options]\n\n"
        "Scored pairs are kept in R.h5.partial until R.h5 is complete; --resume goes on with them.\n"
        "The cells of each pair that are carried and scored, and written by --predictions, are a random draw "
        "of\nat most --max-cells of its control.";
    if (parse_or_help(table, usage, arguments, sections, comm)) return done;
    require(config.run, "run", "RUN");
    require(config.output, "output", "R.h5");
    const std::string run = config.run;
    const train::Checkpoint checkpoint = open_run(config, table, arguments, sections);
    check_output(config.output, "output", {config.data, config.config_file}, RunFiles::results);
    return evaluate_run(run, checkpoint, config.output, config, table,
                        config.resume ? eval::Leftover::keep : eval::Leftover::discard, "", comm);
}

int run(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{
        general,   config::Section::data,    split, model, config::Section::train,
        transport, config::Section::evaluate};
    if (parse_or_help(table, "run --config F.cfg --output RUN [options]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "RUN");
    settle_precision(config, comm);
    if (config.dry_run) return plan_run(config, table, comm);
    const auto lock = lock_run_folder(config, comm);
    if (const int code = train_run(config, table, comm); code != done) return code;
    comm.barrier();
    const train::Checkpoint checkpoint = train::read_checkpoint(checkpoint_path(config.output));
    // Trained further since, the pairs that were scored are of no use.
    const std::string results = config.output + "/results.h5";
    const int code = evaluate_run(config.output, checkpoint, results, config, table,
                                  config.resume ? eval::Leftover::keep_if_fitting : eval::Leftover::discard,
                                  log_path(config.output), comm);
    if (comm.root() && code == done) {
        std::printf("\nThe results are in %s; a page with pictures: popflow report %s --output report.html\n",
                    results.c_str(), config.output.c_str());
    }
    return code;
}

}  // namespace popflow::apps
