// SPDX-License-Identifier: MIT
#include "predict/predictor.hpp"

#include <algorithm>
#include <new>

#include "core/text.hpp"
#include "mpi/partition.hpp"

namespace popflow::predict {

using linalg::Matrix;

namespace {

// A multiple of the rows that a model carries at a time: blocks then cut nowhere that a whole population is
// not cut.
constexpr std::size_t block_rows = 16384;

void check_known(const screen::Conditions& trained, const std::string& name) {
    if (trained.knows(name)) return;
    std::vector<std::string> known = trained.vectors().names();
    if (known.empty()) {
        for (const auto& treatment : trained.treatments()) known.push_back(treatment.name);
    }
    throw core::ConfigError("treatment",
                            "found '" + name + "'" + core::did_you_mean(name, known) + ", allowed " +
                                core::joined(known) +
                                (trained.vectors().empty() ? ", those that the run was trained on"
                                                           : ", those that the run has vectors of, and A+B"));
}

// The treatments asked for, each once. A name that has a comma itself is taken whole.
std::vector<std::string> wanted_treatments(const screen::Conditions& trained,
                                           const std::vector<std::string>& treatments) {
    std::vector<std::string> wanted;
    const auto add = [&](const std::string& name) {
        if (std::ranges::find(wanted, name) == wanted.end()) wanted.push_back(name);
    };
    for (const std::string& text : treatments) {
        if (trained.knows(text)) {
            add(text);
            continue;
        }
        for (const std::string& name : core::split_text(text, ',')) {
            if (!name.empty()) add(name);
        }
    }
    if (wanted.empty()) {
        for (const auto& treatment : trained.treatments()) add(treatment.name);
    }
    return wanted;
}

void check_concentration(const std::vector<double>& seen, const std::string& treatment, double wanted) {
    if (wanted >= seen.front() && wanted <= seen.back()) return;
    throw core::ConfigError("concentration", "found " + core::number_label(wanted) + ", allowed " +
                                                 core::number_label(seen.front()) + " to " +
                                                 core::number_label(seen.back()) + " for treatment " +
                                                 treatment + ", as it was trained");
}

// One rank's work.
class Predictor {
  public:
    Predictor(const screen::Screen& screen, std::span<const screen::Population> conditions,
              const TrainedModel& flow, const PredictOptions& options, PredictionFile& file)
        : screen_(screen),
          conditions_(conditions),
          flow_(flow),
          options_(options),
          file_(file),
          inputs_(screen, flow) {}

    // The population of source `s`, to all conditions; its embedding.
    std::vector<float> run(std::size_t s, std::string& failures) {
        const std::size_t first = s * conditions_.size();
        const std::size_t control = file_.plan().predictions[first].control;
        std::vector<std::vector<std::uint64_t>> rows;
        const screen::Cells cells = std::move(inputs_.read({&control, 1}, &rows).front());
        std::vector<float> context(flow_.model.context_size(), 0.0F);
        const std::string not_embedded = problem_of([&] { context = embed(control, cells); });
        for (std::size_t k = 0; k < conditions_.size(); ++k) {
            std::string problem = not_embedded;
            if (problem.empty())
                problem = problem_of([&] { carry(first + k, cells, rows.front(), context, conditions_[k]); });
            if (problem.empty()) continue;
            file_.drop(first + k);
            failures += screen::population_label(screen_, control) + " to " +
                        screen::condition_name(conditions_[k].treatment, conditions_[k].concentration) +
                        "\t" + problem + "\n";
        }
        return context;
    }

  private:
    // What ended some work on a population before its end; empty: nothing.
    template <class Work>
    static std::string problem_of(Work work) {
        try {
            work();
        } catch (const core::NumericalError& error) {
            return error.what();
        } catch (const std::bad_alloc&) {
            return "out of memory";
        }
        return {};
    }

    std::vector<float> embed(std::size_t control, const screen::Cells& cells) const {
        if (cells.x.rows() <= options_.max_cells) return population_context(flow_, cells);
        const auto drawn = draw_rows(cells.x.rows(), options_.max_cells, options_.draw,
                                     control_stream(options_.seed, screen_, control, DrawRole::embedding));
        return population_context(flow_, take_rows(cells, drawn));
    }

    void carry(std::size_t prediction, const screen::Cells& cells, const std::vector<std::uint64_t>& rows,
               const std::vector<float>& context, const screen::Population& condition) {
        const std::vector<double>& times = file_.plan().times;
        core::Stream noise = control_stream(options_.seed, screen_,
                                            file_.plan().predictions[prediction].control, DrawRole::base);
        for (std::size_t first = 0; first < rows.size(); first += block_rows) {
            const std::size_t n = std::min(block_rows, rows.size() - first);
            std::vector<Matrix<float>> states(1 + times.size(), Matrix<float>(n, cells.x.cols()));
            for (std::size_t i = 0; i < n; ++i)
                std::ranges::copy(cells.x.view().row_span(first + i), states[0].view().row(i));
            ode::Snapshots<float> snapshots{times, {}};
            for (std::size_t t = 0; t < times.size(); ++t) snapshots.x.push_back(states[1 + t].view());
            transport_cells(flow_, context, condition, options_.tolerance, noise, states[0].view(),
                            snapshots);
            const std::vector<linalg::ConstMatrixView<float>> views(states.begin(), states.end());
            file_.add(prediction, std::span(rows).subspan(first, n), views);
        }
    }

    const screen::Screen& screen_;
    std::span<const screen::Population> conditions_;
    const TrainedModel& flow_;
    const PredictOptions& options_;
    PredictionFile& file_;
    ScreenReader inputs_;
};

// The encoder's graph needs more cells than neighbours.
void check_sizes(const screen::Screen& screen, const PredictionPlan& plan, const TrainedModel& flow,
                 const PredictOptions& options) {
    const std::size_t knn = flow.neighbours;
    if (knn == 0) return;
    const std::string needed = "allowed more than " + std::to_string(knn) + ", the neighbours of the encoder";
    if (options.max_cells <= knn)
        throw core::ConfigError("max-cells", "found " + std::to_string(options.max_cells) + ", " + needed);
    for (const Prediction& p : plan.predictions) {
        if (const std::size_t n = screen.populations[p.control].n_cells; n <= knn) {
            throw core::DataError(screen.file, "obs",
                                  "control population " + screen::population_label(screen, p.control) +
                                      ": found " + std::to_string(n) + " cells, " + needed +
                                      " (--min-cells leaves small populations out)");
        }
    }
}

}  // namespace

std::vector<screen::Population> chosen_conditions(const screen::Conditions& trained,
                                                  const std::vector<std::string>& treatments,
                                                  const std::vector<double>& concentrations) {
    if (trained.doses() == screen::Doses::highest && !concentrations.empty()) {
        throw core::ConfigError(
            "concentration", "found " + core::number_label(concentrations.front()) +
                                 ", allowed none: the run was trained on the highest concentration of each "
                                 "treatment alone (--doses highest)");
    }
    std::vector<screen::Population> chosen;
    for (const std::string& name : wanted_treatments(trained, treatments)) {
        check_known(trained, name);
        screen::Population condition;
        condition.treatment = name;
        if (trained.doses() == screen::Doses::highest) {
            chosen.push_back(condition);
            continue;
        }
        const std::vector<double>& range = trained.concentrations(name);
        const auto own = std::ranges::find(trained.treatments(), name, &screen::Conditions::Treatment::name);
        const std::vector<double>& seen = own == trained.treatments().end() ? range : own->concentrations;
        for (const double value : concentrations.empty() ? seen : concentrations) {
            check_concentration(range, name, value);
            condition.concentration = core::number_label(value);
            condition.concentration_value = value;
            chosen.push_back(condition);
        }
    }
    return chosen;
}

PredictionPlan plan_of_pairs(const screen::Screen& screen, const screen::Split& split,
                             std::span<const std::size_t> pairs) {
    PredictionPlan plan{.source_column = "predicted_pair", .parts = true};
    for (const std::size_t p : pairs) {
        const screen::Population& treated = screen.populations[screen.pairs[p].treated];
        plan.predictions.push_back({screen.pairs[p].control, treated.treatment, treated.concentration,
                                    screen::part_name(split.parts[p]), plan.sources.size()});
        plan.sources.push_back(screen::pair_name(screen, p));
    }
    return plan;
}

PredictionPlan plan_of_controls(const screen::Screen& screen,
                                std::span<const screen::Population> conditions) {
    PredictionPlan plan{.source_column = "predicted_population"};
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        if (!screen.populations[p].control) continue;
        for (const screen::Population& condition : conditions) {
            plan.predictions.push_back(
                {p, condition.treatment, condition.concentration, "", plan.sources.size()});
        }
        plan.sources.push_back(screen::population_label(screen, p));
    }
    return plan;
}

PredictionSummary predict(const screen::Screen& screen, std::span<const screen::Population> conditions,
                          const TrainedModel& flow, const PredictOptions& options, PredictionFile& file,
                          const mpi::Communicator& comm,
                          const std::function<void(std::size_t, std::size_t)>& done) {
    const PredictionPlan& plan = file.plan();
    check_sizes(screen, plan, flow, options);
    std::vector<std::size_t> cells(plan.sources.size(), 0);
    for (const Prediction& p : plan.predictions) cells[p.source] = screen.populations[p.control].n_cells;
    const auto dealt = mpi::partition_by_weight(cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = dealt[static_cast<std::size_t>(comm.rank())];

    Predictor predictor(screen, conditions, flow, options, file);
    // Each row is of one rank alone, so the sum over ranks is exact.
    Matrix<double> embeddings(plan.sources.size(), flow.model.context_size());
    std::string failures;
    for (std::size_t k = 0; k < own.size(); ++k) {
        std::ranges::copy(predictor.run(own[k], failures), embeddings.view().row(own[k]));
        done(k + 1, own.size());
    }
    comm.sum(embeddings.values());
    PredictionSummary summary{Matrix<float>(embeddings.rows(), embeddings.cols()), {}};
    std::ranges::transform(embeddings.values(), summary.embeddings.values().begin(),
                           [](double e) { return static_cast<float>(e); });
    for (const std::string& text : comm.gather(failures)) {
        for (const std::string& line : core::split_text(text, '\n')) {
            if (line.empty()) continue;
            const std::size_t tab = line.find('\t');
            summary.failed.push_back({line.substr(0, tab), line.substr(tab + 1)});
        }
    }
    return summary;
}

}  // namespace popflow::predict
