// SPDX-License-Identifier: MIT
#include "problem_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "console.hpp"
#include "core/label_list.hpp"
#include "core/text.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "ot/cost_matrix.hpp"
#include "problems/problem_set.hpp"
#include "run_folder.hpp"
#include "same_data.hpp"
#include "train/problem_sampler.hpp"
#include "train/training_run.hpp"
#include "training_display.hpp"
#include "training_setup.hpp"

namespace popflow::apps {

namespace {

// Configuration that a checkpoint stores and a resume compares.
std::string training_text(const options::OptionTable& table) {
    return table.text(options::training_sections()) + table.text({options::Section::ot});
}

// Leaves only the training part of --split.
void apply_split(const options::RunConfig& config, const options::OptionTable& table,
                 problems::HistogramOptions& histograms) {
    if (!table.is_given("split") || config.split == "none") return;
    const core::LabelHead split = core::split_head("split", config.split);
    if (!split.rest)
        throw core::ConfigError("split", "'" + config.split +
                                             "' is a split of pairs of populations. With histograms give "
                                             "column:NAME, COLUMN:VALUE or none");
    const std::vector<std::string> items = core::split_list("split", *split.rest);
    if (split.head == "column" && !split.is_quoted) {
        histograms.training_part = {{items.size() == 1 ? items.front() : *split.rest, "train"}};
        return;
    }
    for (const std::string& label : items) histograms.held_out.emplace_back(split.head, label);
}

std::vector<ot::Histogram> read_all(const problems::HistogramFile& file, std::vector<std::string>& notes) {
    std::vector<std::size_t> indices(file.names().size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return file.read(indices, notes);
}

// The data of a training on transport problems. Every rank reads all of it.
struct ProblemData {
    ProblemData(const options::RunConfig& config, const options::OptionTable& table,
                const mpi::Communicator& comm);

    std::string stamp;
    std::string fingerprint;
    std::vector<std::string> notes;
    train::HistogramSet set;
};

ProblemData::ProblemData(const options::RunConfig& config, const options::OptionTable& table,
                         const mpi::Communicator& comm)
    : stamp(file_stamp(config.data)) {
    problems::HistogramOptions histograms = config.problems.histograms;
    histograms.source = config.screen.source;
    histograms.exclude = config.screen.exclude;
    apply_split(config, table, histograms);
    const problems::HistogramFile sources(config.data, histograms);
    fingerprint = sources.fingerprint();
    set.sources = read_all(sources, notes);
    set.source_positions = sources.positions();
    set.target_positions = sources.positions();
    const std::string purpose = "--method " + config.method->name();
    sources.require_positions(purpose);
    std::optional<problems::HistogramFile> targets;
    if (!config.problems.target_data.empty()) {
        targets.emplace(config.problems.target_data, histograms);
        targets->require_positions(purpose);
        fingerprint += " " + targets->fingerprint();
        set.targets = read_all(*targets, notes);
        set.target_positions = targets->positions();
    }
    set.costs = problems::atom_costs(config.problems.cost, sources, targets ? *targets : sources);
    set.epsilon = config.solve.epsilon.absolute(ot::summarise_costs(set.costs.view()));
    mpi::check_same_on_all_ranks(comm, "file " + config.data, fingerprint);
}

train::Checkpoint make_constants(const options::RunConfig& config, const options::OptionTable& table,
                                 const ProblemData& data) {
    train::Checkpoint constants;
    constants.config = training_text(table);
    constants.data_fingerprint = data.fingerprint;
    constants.family = config.method;
    constants.settings = config.method_settings().clone();
    constants.constants = data.set.constants();
    return constants;
}

std::string data_text(const options::RunConfig& config, const ProblemData& data) {
    const std::string targets =
        data.set.targets.empty() ? "" : fmt::format(" and {} targets", data.set.targets.size());
    return fmt::format("{}: {} to train on{}, {} x {} atoms, epsilon {}", config.data,
                       core::counted(data.set.sources.size(), "histogram"), targets, data.set.costs.rows(),
                       data.set.costs.cols(), core::number_label(data.set.epsilon));
}

train::TrainingRun make_run(const options::RunConfig& config, const options::OptionTable& table,
                            const ProblemData& data, const train::ProblemItems& items,
                            const mpi::Communicator& comm, train::TrainingObserver& observer) {
    return {files_and_cadence(config),
            config.train,
            make_constants(config, table, data),
            linalg::Precision::fp32,
            table.effects(),
            items,
            comm,
            observer};
}

train::ProblemItems make_items(const options::RunConfig& config, const ProblemData& data) {
    return {data.set, config.method->problem_draws(config.method_settings())};
}

}  // namespace

bool trains_on_problems(const options::RunConfig& config) {
    const bool trains = config.method->items(config.method_settings()) == models::ItemKind::problems;
    if (trains && config.latent > 0)
        throw core::ConfigError("latent",
                                fmt::format("found pca:{}, but {} trains on transport problems, which "
                                            "have no markers. Use --latent none",
                                            config.latent, config.method->name()));
    return trains;
}

void refuse_problem_options(const options::RunConfig& config, const options::OptionTable& table) {
    for (const options::Option& option : table.options()) {
        if (option.section != options::Section::ot || !options::accepts({options::Section::train}, option) ||
            !table.is_given(option.name))
            continue;
        throw core::ConfigError(
            option.name, "needs a method for transport problems, such as --method meta-ot. The method is " +
                             config.method->name());
    }
}

int train_problem_run(options::RunConfig& config, const options::OptionTable& table,
                      const mpi::Communicator& comm) {
    const ProblemData data(config, table, comm);
    const train::ProblemItems items = make_items(config, data);
    TrainingDisplay display(
        config, training_text(table),
        {.stamp = data.stamp,
         .unit = "problems",
         .describe =
             [&](const train::TrainingRun& run) {
                 std::vector<std::string> lines{data_text(config, data) + "; " +
                                                run_text(config, run, linalg::Precision::fp32, comm)};
                 for (const std::string& note : data.notes) lines.push_back("note: " + note);
                 return lines;
             }},
        comm);
    train::TrainingRun run = make_run(config, table, data, items, comm, display);
    try {
        return run.run() == train::TrainingEnd::done ? done : stopped;
    } catch (const std::exception& error) {
        display.failed(error);
        throw;
    }
}

int dry_run_problem_training(options::RunConfig& config, const options::OptionTable& table,
                             const mpi::Communicator& comm) {
    if (config.dry_run == options::DryRunMode::options) return done;
    const ProblemData data(config, table, comm);
    const train::ProblemItems items = make_items(config, data);
    train::TrainingObserver silent;
    train::TrainingRun run = make_run(config, table, data, items, comm, silent);
    if (comm.is_root()) {
        check_run_folder(config);
        print_result(
            "data        %s\nmodel       %s\nsteps       %llu, each with %zu slots of %zu problems\nwrites   "
            "   %s\n",
            data_text(config, data).c_str(), run_text(config, run, linalg::Precision::fp32, comm).c_str(),
            static_cast<unsigned long long>(config.train.steps), config.train.batch_pairs,
            config.method->problem_draws(config.method_settings()).problems, config.output.c_str());
    }
    if (config.dry_run == options::DryRunMode::plan) return done;
    const train::DryRun dry_run = run.dry_run();
    if (comm.is_root()) {
        if (dry_run.fault.empty())
            print_result("time        %.3g s for a step, %.3g min in all\n",
                         dry_run.seconds / static_cast<double>(dry_run.steps),
                         dry_run.seconds / static_cast<double>(dry_run.steps) *
                             static_cast<double>(config.train.steps) / 60);
        else
            print_result("fault       %s\n", dry_run.fault.c_str());
    }
    return dry_run.fault.empty() ? done : failed;
}

}  // namespace popflow::apps
