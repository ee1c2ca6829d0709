// SPDX-License-Identifier: MIT
#include "predict/map_predictor.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "core/error.hpp"
#include "core/text.hpp"
#include "mpi/partition.hpp"
#include "predict/trained_model.hpp"

namespace popflow::predict {

std::string map_population_name(const screen::Screen& screen, std::size_t population) {
    const screen::Population& own = screen.populations[population];
    const std::string& label = screen.experiments[own.experiment].label;
    const bool has_conditions = std::ranges::any_of(screen.populations, [&](const screen::Population& other) {
        return other.treatment != screen.populations.front().treatment ||
               other.concentration != screen.populations.front().concentration;
    });
    if (!has_conditions) return label;
    const std::string condition = screen::condition_name(own.treatment, own.concentration);
    return label.empty() ? condition : label + " / " + condition;
}

PredictionPlan plan_maps(const screen::Screen& screen, const std::vector<MapProblem>& problems) {
    PredictionPlan plan;
    plan.source_column = map_problem_column;
    plan.treatment_column = map_target_column;
    plan.concentration_column = map_source_column;
    for (const MapProblem& problem : problems) {
        plan.predictions.push_back({.control = problem.source,
                                    .treatment = map_population_name(screen, problem.target),
                                    .concentration = map_population_name(screen, problem.source),
                                    .source = plan.sources.size()});
        plan.sources.push_back(problem.name);
    }
    return plan;
}

std::vector<FailedMap> predict_maps(const screen::Screen& screen, const std::vector<MapProblem>& problems,
                                    const PotentialModel& model, const models::FineTuneOptions& options,
                                    std::uint64_t seed, PredictionFile& file, const mpi::Communicator& comm,
                                    const std::function<void(std::size_t, std::size_t)>& progress) {
    const train::Checkpoint& checkpoint = model.checkpoint();
    const ScreenReader reader(screen, checkpoint.normalisation, checkpoint.latent.if_used(),
                              checkpoint.cell_types);
    std::vector<std::size_t> cells;
    for (const MapProblem& problem : problems)
        cells.push_back(screen.populations[problem.source].n_cells +
                        screen.populations[problem.target].n_cells);
    const auto parts = mpi::partition_by_weight(cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = parts[static_cast<std::size_t>(comm.rank())];
    std::string failures;
    for (std::size_t k = 0; k < own.size(); ++k) {
        const MapProblem& problem = problems[own[k]];
        std::vector<std::vector<std::uint64_t>> rows;
        const std::size_t sides[] = {problem.source, problem.target};
        const std::size_t distinct = problem.source == problem.target ? 1 : 2;
        const std::vector<screen::Cells> read = reader.read(std::span(sides).first(distinct), &rows);
        try {
            models::CloudPotentials potentials =
                models::start_potentials(model.predictor(), checkpoint.result(), options.starts.front(),
                                         read.front().x.view(), read.back().x.view(), seed);
            if (!options.steps.empty())
                models::FineTuning(potentials, options, model.predictor().cycle_weight(), seed, own[k])
                    .run(options.steps.back());
            const linalg::Matrix<float> mapped = potentials.mapped(read.front().x.view());
            const linalg::ConstMatrixView<float> state = mapped.view();
            file.add(own[k], rows[0], {&state, 1});
        } catch (const core::NumericalError& error) {
            file.drop(own[k]);
            failures += problem.name + "\t" + error.what() + "\n";
        }
        progress(k + 1, own.size());
    }
    std::vector<FailedMap> failed;
    for (const std::string& text : comm.gather(failures)) {
        for (const std::string& line : core::split_text(text, '\n')) {
            if (line.empty()) continue;
            const std::size_t tab = line.find('\t');
            failed.push_back({line.substr(0, tab), line.substr(tab + 1)});
        }
    }
    return failed;
}

}  // namespace popflow::predict
