// SPDX-License-Identifier: MIT
#include "training_plan.hpp"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <vector>

#include "core/host_name.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "linalg/precision.hpp"
#include "population_mode.hpp"
#include "progress_line.hpp"

namespace popflow::apps {

namespace {

using core::counted;

std::string mebibytes(double bytes) {
    return fmt::format("{:.0f} MiB", bytes / (1024.0 * 1024));
}

// Returns the values by which pairs are held out, or the patients if they are held out in another way.
std::string values_of(const screen::Screen& screen, const screen::Split& split,
                      const std::vector<std::size_t>& pairs) {
    const bool by_column = !split.column.empty() && split.column != "patient";
    std::set<std::string> names;
    for (const std::size_t p : pairs)
        names.insert(by_column ? screen::held_out_label(screen, split, p)
                               : screen.populations[screen.pairs[p].control].patient);
    return (by_column ? split.column + " " : "") + core::joined({names.begin(), names.end()}, 8);
}

std::string part_text(const screen::Screen& screen, const screen::Split& split, screen::Part part) {
    const std::vector<std::size_t> pairs = split.pairs(part);
    if (screen.options.unpaired) return counted(pairs.size(), "population");
    return counted(pairs.size(), "pair") + (pairs.empty() ? "" : " of " + values_of(screen, split, pairs));
}

// Returns the number of cells of the largest population of the training pairs.
std::size_t largest_population(const screen::Screen& screen, const screen::Split& split) {
    std::size_t largest = 0;
    for (const std::size_t p : split.pairs(screen::Part::train)) {
        for (const std::size_t population : {screen.pairs[p].control, screen.pairs[p].treated})
            largest = std::max(largest, screen.populations[population].n_cells);
    }
    return largest;
}

// Describes the cells of the training pairs, each population once.
std::string cells_text(const screen::Screen& screen, const std::vector<std::size_t>& pairs) {
    std::set<std::size_t> populations;
    for (const std::size_t p : pairs) {
        populations.insert(screen.pairs[p].control);
        populations.insert(screen.pairs[p].treated);
    }
    std::size_t cells = 0;
    for (const std::size_t p : populations) cells += screen.populations[p].n_cells;
    const auto values = static_cast<double>(cells) * static_cast<double>(screen.markers.size());
    return fmt::format("{} in {}, {} for all ranks together", counted(cells, "cell"),
                       counted(populations.size(), "population"), mebibytes(values * sizeof(float)));
}

std::string line(const char* label, const std::string& text) {
    return fmt::format("{:<11} {}\n", label, text);
}

std::string rate_text(double seconds_per_step) {
    return fmt::format("{:.3g} steps per second", 1 / seconds_per_step);
}

}  // namespace

std::string training_plan(const options::RunConfig& config, const screen::Screen& screen,
                          const screen::Split& split, const std::vector<std::string>& notes,
                          const PlannedModel& model, const mpi::Communicator& comm) {
    std::set<std::string> hosts;
    for (const std::string& host : comm.gather(core::host_name())) hosts.insert(host);
    if (!comm.is_root()) return {};
    const train::TrainOptions& options = config.train;
    const std::vector<std::size_t> train_pairs = split.pairs(screen::Part::train);
    const double visits = static_cast<double>(options.steps) * static_cast<double>(options.batch_pairs);
    std::string text;
    text +=
        line("data",
             fmt::format("{}: {}, {}, {}", config.data,
                         counted(screen.pairs.size(), screen.options.unpaired ? "population" : "pair"),
                         counted(screen.markers.size(), "marker"), counted(model.treatments, "treatment")));
    text += line("train", part_text(screen, split, screen::Part::train));
    text += line("validation", part_text(screen, split, screen::Part::validation));
    text += line("test", part_text(screen, split, screen::Part::test));
    for (const std::string& note : notes) text += line("note", core::printable(note));
    text += line("model", config.method->name() + ", " + counted(model.parameters, "parameter") + ", " +
                              (config.precision == options::PrecisionChoice::bf16 ? "bf16" : "fp32"));
    if (!model.latent.empty()) text += line("latent", model.latent);
    if (model.is_one_pass) {
        text += line("steps", "one pass over all pairs");
    } else if (trains_on_populations(config)) {
        const models::PopulationDraws draws = config.method->population_draws(config.method_settings());
        const bool has_cells = draws.form != models::PopulationForm::gaussians;
        text +=
            line("steps",
                 fmt::format(
                     "{} of {} x {}{}", counted(options.steps, "step"), counted(options.batch_pairs, "slot"),
                     counted(draws.populations,
                             draws.form == models::PopulationForm::problems ? "problem" : "population"),
                     has_cells ? fmt::format(" x {} cells", config.sampling.cells) : ""));
    } else {
        const double epochs = visits / static_cast<double>(train_pairs.size());
        text += line("steps", fmt::format("{} of {} x {} cells: {} epochs", counted(options.steps, "step"),
                                          counted(options.batch_pairs, "pair"), config.sampling.cells,
                                          core::number_label(std::round(10 * epochs) / 10)));
    }
    if (const std::size_t largest = largest_population(screen, split);
        !model.is_one_pass && !trains_on_populations(config) && config.sampling.cells > largest)
        text += line("note", fmt::format("--cells {} is more than the {} cells of the largest training "
                                         "population: a step draws all cells of a population",
                                         config.sampling.cells, largest));
    text += line("ranks", fmt::format("{} x {} on {}", counted(static_cast<std::size_t>(comm.size()), "rank"),
                                      counted(static_cast<std::size_t>(omp_get_max_threads()), "thread"),
                                      counted(hosts.size(), "host")));
    return text + line("cells", cells_text(screen, train_pairs));
}

std::string timed_plan(const options::RunConfig& config, const train::TrainingRun& run,
                       const train::DryRun& dry_run, const mpi::Communicator& comm, std::size_t trainings,
                       std::size_t selection_folds) {
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    const std::vector<std::string> peaks = comm.gather(std::to_string(usage.ru_maxrss));
    if (!comm.is_root()) return {};
    double max_bytes = 0;
    for (const std::string& peak : peaks)
        max_bytes = std::max(max_bytes, 1024 * std::strtod(peak.c_str(), nullptr));
    if (!dry_run.fault.empty()) return line("fault", dry_run.fault);
    const double seconds = dry_run.seconds / static_cast<double>(dry_run.steps);
    std::string text;
    text += line("memory", fmt::format("{} on the rank with the largest peak, after {}", mebibytes(max_bytes),
                                       counted(dry_run.steps, "step")));
    text += line("time", fmt::format("{} at {}, without the evaluation",
                                     duration_text(seconds * static_cast<double>(run.total_steps())),
                                     rate_text(seconds)));
    const double one = seconds * static_cast<double>(run.total_steps());
    const auto folds = static_cast<double>(selection_folds);
    if (selection_folds > 0)
        text += line("selection", fmt::format("{} before that, for the {} of the cross-validation",
                                              duration_text(folds * one), counted(selection_folds, "fold")));
    if (trainings > 1) {
        const double all = (1 + folds) * one * static_cast<double>(trainings);
        text += line("all folds", fmt::format("{} for {} that are left, without the evaluation",
                                              duration_text(all), counted(trainings, "fold")));
    }
    text += line("writes", fmt::format("{}: checkpoints of {}, every {}, the last {} kept", config.output,
                                       mebibytes(static_cast<double>(dry_run.checkpoint_bytes)),
                                       counted(config.checkpoint_every, "step"), config.keep_checkpoints));
    return text;
}

}  // namespace popflow::apps
