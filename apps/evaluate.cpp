// SPDX-License-Identifier: MIT
#include <omp.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/progress.hpp"
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
    return {.method = models::context_name(checkpoint.shape.context),
            .base = checkpoint.base == train::Base::source ? "source" : "gaussian",
            .knn = checkpoint.shape.encoder.knn,
            .seed = config.train.seed,
            .steps = checkpoint.adam.step,
            .split = config.split,
            .precision = config.precision == config::PrecisionChoice::bf16 ? "bf16" : "fp32",
            .config = config_text,
            .data_fingerprint = screen.fingerprint,
            .ranks = comm.size(),
            .threads = omp_get_max_threads()};
}

std::vector<std::size_t> chosen_pairs(const data::Split& split, const std::vector<data::Part>& parts) {
    std::vector<std::size_t> chosen;
    for (data::Part part : parts) {
        const std::vector<std::size_t> pairs = split.pairs(part);
        chosen.insert(chosen.end(), pairs.begin(), pairs.end());
    }
    if (chosen.empty()) throw core::ConfigError("parts", "the split has no pair in the parts asked for");
    std::ranges::sort(chosen);
    chosen.erase(std::ranges::unique(chosen).begin(), chosen.end());  // a part may be named twice
    return chosen;
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
    const std::vector<std::size_t> pairs = chosen_pairs(split, config.evaluate.parts);
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

int report(const Arguments& arguments, const dist::Communicator& comm) {
    config::RunConfig config;
    const config::OptionTable table = run_options(config);
    using enum config::Section;
    std::vector<std::string> files;
    if (parse_or_help(table, "report R.h5 ... [options]", arguments, {general, config::Section::report}, comm,
                      &files))
        return done;
    if (files.empty()) throw core::ConfigError("report", "missing; give one or more result files");
    std::vector<eval::Results> results;
    for (const std::string& file : files) results.push_back(eval::read_results(file));
    if (!comm.root()) return done;
    const std::string text =
        config.format == "markdown" ? eval::report_markdown(results) : eval::report_text(results);
    if (config.output.empty()) {
        std::printf("%s", text.c_str());
        return done;
    }
    const std::string temporary = config.output + ".tmp";
    std::ofstream out(temporary);
    out << text;
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(temporary, config.output, error);
    if (!out || error) {
        std::filesystem::remove(temporary, error);
        throw core::ConfigError("output", "cannot write '" + config.output + "'");
    }
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
