// SPDX-License-Identifier: MIT
#include <omp.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "core/progress.hpp"
#include "eval/pair_choice.hpp"
#include "eval/report.hpp"
#include "eval/results.hpp"
#include "train/checkpoint.hpp"
#include "train/training_table.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

eval::Provenance provenance(const config::RunConfig& config, const train::Checkpoint& checkpoint,
                            const data::Screen& screen, const std::string& config_text,
                            const dist::Communicator& comm) {
    return {.method = models::method_name(checkpoint.method),
            .base = checkpoint.base == train::Base::source ? "source" : "gaussian",
            .knn = checkpoint.shape.encoder.knn,
            .seed = config.train.seed,
            .steps = checkpoint.adam.step,
            .split = config.split,
            .precision = config.precision == config::PrecisionChoice::bf16 ? "bf16" : "fp32",
            .config = config_text,
            .data_fingerprint = screen.fingerprint,
            .ranks = comm.size(),
            .threads = omp_get_max_threads(),
            .recipe = config.recipe == config::Recipe::paper ? "paper" : "popflow",
            .condition = config.condition == config::Condition::none ? "none" : "treatment"};
}

std::string checkpoint_path(const std::string& run) {
    return run + "/checkpoint.h5";
}

/// Scores a checkpoint of the run in folder `run` and writes `output`. Rank 0 prints the table.
void evaluate_run(const std::string& run, const train::Checkpoint& checkpoint, const std::string& output,
                  const config::RunConfig& config, const config::OptionTable& table,
                  const dist::Communicator& comm) {
    const data::Screen screen = data::open_screen(config.data, config.screen);
    if (screen.markers != checkpoint.markers) {
        throw core::DataError(config.data, "var", "the markers are not those that the run was trained on");
    }
    const data::Split split = data::make_split(screen, config.split, config.split_seed);
    const std::unique_ptr<models::Model> model = checkpoint.model();
    const eval::TrainedFlow flow{.model = *model,
                                 .values = checkpoint.adam.average,
                                 .gaussian_base = checkpoint.base == train::Base::gaussian,
                                 .normalisation = checkpoint.normalisation,
                                 .conditions = checkpoint.conditions,
                                 .mean_shifts = checkpoint.mean_shifts};
    const std::vector<std::size_t> pairs = eval::chosen_pairs(
        screen, split, config.evaluate.parts, config.evaluate.train_pairs, config.evaluate.seed);
    const std::string config_text =
        table.text(config::training_sections()) + table.text({config::Section::evaluate});
    // The first file of its name shows a path that cannot be written to before hours of work.
    if (comm.root()) eval::check_writable(output);
    eval::Evaluation evaluation;
    {
        core::Progress progress("evaluate", pairs.size(), 0, !comm.root());
        evaluation = eval::evaluate(
            screen, pairs, flow, config.evaluate, comm,
            [&](std::size_t n, std::size_t of) { progress.update(n * pairs.size() / of, "pairs"); });
    }
    if (!comm.root()) return;
    eval::Results results{.provenance = provenance(config, checkpoint, screen, config_text, comm),
                          .pairs = eval::pairs_frame(screen, split, evaluation),
                          .embeddings = std::move(evaluation.embeddings)};
    results.summary = eval::summarise(results.pairs);
    results.training =
        train::training_frame(train::read_training_table(run + "/training.h5", checkpoint.adam.step));
    for (std::size_t p : evaluation.pairs) results.embedding_names.push_back(eval::pair_name(screen, p));
    eval::write_results(output, results);
    std::printf("%s", eval::report_text({results}).c_str());
}

}  // namespace

int evaluate(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, config::Section::data, config::Section::evaluate,
                                                config::Section::report};
    if (parse_or_help(table, "evaluate --run RUN --output R.h5 [options]", arguments, sections, comm))
        return done;
    require(config.run, "run", "RUN");
    require(config.output, "output", "R.h5");
    // The run's own configuration comes first, with what was said of its evaluation; the command line
    // overrides it.
    const std::string run = config.run;
    if (std::ifstream in(run + "/config.cfg"); in) {
        table.parse_text({std::istreambuf_iterator<char>(in), {}}, run + "/config.cfg");
    }
    const train::Checkpoint checkpoint = train::read_checkpoint(checkpoint_path(run));
    table.parse_text(checkpoint.config, checkpoint_path(run));
    table.parse(arguments, sections, nullptr);
    evaluate_run(run, checkpoint, config.output, config, table, comm);
    return done;
}

int run(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    const std::vector<config::Section> sections{general, config::Section::data,  split,
                                                model,   config::Section::train, config::Section::evaluate};
    if (parse_or_help(table, "run --config F.cfg --output RUN [options]", arguments, sections, comm))
        return done;
    require(config.data, "data", "F.h5ad");
    require(config.output, "output", "RUN");
    if (const int code = train_run(config, table, comm); code != done) return code;
    release_stop_signals();
    comm.barrier();
    const train::Checkpoint checkpoint = train::read_checkpoint(checkpoint_path(config.output));
    evaluate_run(config.output, checkpoint, config.output + "/results.h5", config, table, comm);
    return done;
}

}  // namespace popflow::apps
