// SPDX-License-Identifier: MIT
#include "set_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "console.hpp"
#include "core/text.hpp"
#include "eval/set_comparison.hpp"
#include "mpi/run_collectively.hpp"
#include "problems/populations.hpp"
#include "verbs.hpp"

namespace popflow::apps {

namespace {

// Files of a comparison: generated, real and, if given, training populations.
struct SetFiles {
    problems::Populations generated;
    problems::Populations real;
    problems::Populations training;
};

problems::Populations read_set(const std::string& file, const problems::PopulationOptions& options,
                               std::size_t fewest) {
    problems::Populations set = problems::read_populations(file, options);
    if (set.cells.size() >= fewest) return set;
    throw core::DataError(
        file, "obs/" + core::joined(options.columns),
        fmt::format(
            "has {} of at least {}, but a comparison of sets needs {} or more. Name another column with "
            "--population, or lower --min-cells",
            core::counted(set.cells.size(), "population"), core::counted(options.screen.min_cells, "cell"),
            fewest));
}

SetFiles read_files(const std::vector<std::string>& files, const options::RunConfig& config) {
    problems::PopulationOptions options{.screen = config.screen,
                                        .columns = config.problems.populations.columns,
                                        .max_cells = config.evaluate.max_cells,
                                        .seed = config.train.seed};
    SetFiles sets;
    sets.generated = read_set(files[0], options, 2);
    options.screen.markers = sets.generated.markers;
    options.screen.exclude_markers.clear();
    // Other cells are drawn from populations of the same names.
    options.seed += 1;
    sets.real = read_set(files[1], options, 2);
    options.seed += 1;
    if (!config.sets.training.empty()) sets.training = read_set(config.sets.training, options, 1);
    return sets;
}

// Returns a note if populations have different numbers of cells, empty otherwise.
std::string sizes_note(const SetFiles& sets) {
    std::size_t fewest = sets.real.cells.front().rows();
    std::size_t most = fewest;
    for (const problems::Populations* set : {&sets.generated, &sets.real, &sets.training}) {
        for (const linalg::Matrix<float>& cells : set->cells) {
            fewest = std::min(fewest, cells.rows());
            most = std::max(most, cells.rows());
        }
    }
    if (fewest == most) return "";
    return fmt::format(
        "populations have {} to {} cells. Distances between small populations are larger, which tells sets "
        "of "
        "different sizes apart. --max-cells {} compares equally many cells",
        fewest, most, fewest);
}

double rounded(double value) {
    return std::strtod(fmt::format("{:.9g}", value).c_str(), nullptr);
}

void print(const std::vector<eval::SetComparison>& comparisons, const std::vector<std::string>& names,
           bool json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::object();
    std::string header = fmt::format("{:<9}", "distance");
    for (const std::string& name : names) header += fmt::format(" {:>14}", name);
    if (!json) print_result("%s\n", header.c_str());
    for (const eval::SetComparison& comparison : comparisons) {
        const std::string& distance =
            metrics::population_distance_names()[static_cast<std::size_t>(comparison.distance)];
        std::string line = fmt::format("{:<9}", distance);
        for (const eval::SetMetric& metric : eval::set_metrics()) {
            if (std::ranges::find(names, metric.name) == names.end()) continue;
            const double value = rounded(comparison.scores.*metric.score);
            all[distance][metric.name] = value;  // null if it is not finite
            line += fmt::format(" {:>14.6g}", value);
        }
        all[distance]["distances_computed"] = comparison.distances_computed;
        if (!json) print_result("%s\n", line.c_str());
    }
    if (json) print_result("%s\n", all.dump().c_str());
}

}  // namespace

int compare_set_files(const std::vector<std::string>& files, const options::RunConfig& config,
                      const options::OptionTable& table, const mpi::Communicator& comm) {
    std::vector<std::string> names = eval::set_metric_names();
    if (table.is_given("metrics")) {
        std::erase_if(names, [&](const std::string& name) {
            return std::ranges::find(config.evaluate.metrics, name) == config.evaluate.metrics.end();
        });
        for (const std::string& name : config.evaluate.metrics) {
            if (std::ranges::find(names, name) == names.end())
                throw core::ConfigError("metrics",
                                        "found '" + name +
                                            "', which compares two populations. With --population give " +
                                            core::joined(eval::set_metric_names(), 20));
        }
    }
    const bool has_training = !config.sets.training.empty();
    for (const eval::SetMetric& metric : eval::set_metrics()) {
        const bool is_asked_for =
            table.is_given("metrics") && std::ranges::find(names, metric.name) != names.end();
        if (!metric.needs_training || has_training) continue;
        if (is_asked_for)
            throw core::ConfigError("metrics",
                                    fmt::format("found '{}', which needs the training populations. Give "
                                                "their file with --training-data",
                                                metric.name));
        std::erase(names, metric.name);
    }
    SetFiles sets;
    mpi::run_collectively(comm, [&] { sets = read_files(files, config); });
    if (comm.is_root()) {
        if (const std::string note = sizes_note(sets); !note.empty()) print_message("note: %s", note.c_str());
    }
    const auto comparisons = eval::compare_sets({sets.real.cells, sets.generated.cells, sets.training.cells},
                                                config.sets, config.train.seed, comm);
    if (comm.is_root()) print(comparisons.value(), names, config.json);
    return done;
}

}  // namespace popflow::apps
