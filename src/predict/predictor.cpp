// SPDX-License-Identifier: MIT
#include "predict/predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <new>
#include <set>

#include "core/label_list.hpp"
#include "core/text.hpp"
#include "mpi/partition.hpp"

namespace popflow::predict {

using linalg::Matrix;

namespace {

// Multiple of the number of rows that a model transports at a time. The blocks of a population then start at
// the same rows as without this split.
constexpr std::size_t block_rows = 16384;

void check_known(const screen::Conditions& trained, const std::string& name) {
    if (trained.can_encode(name)) return;
    std::vector<std::string> known = trained.vectors().names();
    if (known.empty()) {
        for (const auto& treatment : trained.treatments()) known.push_back(treatment.name);
    }
    throw core::ConfigError(
        "treatment",
        (trained.vectors().empty() ? "the run was not trained on '" : "the run has no vector for '") + name +
            "'" + core::did_you_mean(name, known) + ". Give " +
            (trained.vectors().empty() ? "one of " : "combinations A+B or one of ") + core::joined(known));
}

// Returns the requested treatments, each once. A text that is a known name is not split at its commas.
std::vector<std::string> requested_treatments(const screen::Conditions& trained,
                                              const std::vector<std::string>& treatments) {
    std::vector<std::string> requested;
    const auto add = [&](const std::string& name) {
        if (std::ranges::find(requested, name) == requested.end()) requested.push_back(name);
    };
    std::vector<std::string> known = trained.vectors().names();
    for (const auto& treatment : trained.treatments()) known.push_back(treatment.name);
    for (const std::string& text : treatments) {
        if (trained.can_encode(text)) {
            add(text);
            continue;
        }
        for (const std::string& name : core::rejoin_labels(core::split_list("treatment", text), known))
            add(name);
    }
    if (requested.empty()) {
        for (const auto& treatment : trained.treatments()) add(treatment.name);
    }
    return requested;
}

// Checks that concentrations have the unit of the training, or none.
void check_quantity(const screen::Conditions& trained, const std::vector<double>& concentrations,
                    core::Quantity quantity) {
    if (concentrations.empty() || quantity == core::Quantity::number || quantity == trained.dose_quantity())
        return;
    const std::string found = core::number_label(concentrations.back()) + " " + core::unit_name(quantity);
    const std::string unit = core::unit_name(trained.dose_quantity());
    throw core::ConfigError("concentration", "found " + found + ", but the run was trained on doses " +
                                                 (unit.empty() ? "without a unit. Give numbers without a unit"
                                                               : "in " + unit + ". Give numbers in " + unit));
}

void check_concentration(const std::vector<double>& trained, const std::string& treatment, double value) {
    if (value >= trained.front() && value <= trained.back()) return;
    throw core::ConfigError("concentration",
                            core::number_label(value) + " is outside the training range of treatment " +
                                treatment + ". Give a number from " + core::number_label(trained.front()) +
                                " to " + core::number_label(trained.back()));
}

// Returns the concentration of a treatment in training or else in all pairs of the screen, empty if there is
// none or there are several.
std::string known_concentration(const screen::Screen& screen, const screen::Conditions& trained,
                                const std::string& treatment) {
    const auto own = std::ranges::find(trained.treatments(), treatment, &screen::Conditions::Treatment::name);
    if (own != trained.treatments().end() && !own->highest.empty()) return own->highest;
    std::set<std::string> labels;
    for (const screen::PopulationPair& pair : screen.pairs) {
        const screen::Population& treated = screen.populations[pair.treated];
        if (treated.treatment == treatment) labels.insert(core::plain_label(treated.concentration));
    }
    return labels.size() == 1 ? *labels.begin() : "";
}

// Computes the input of the predictions of a control population from at most max_cells of its cells.
PopulationInput describe(const screen::Screen& screen, std::size_t control, const screen::Cells& cells,
                         const TrainedModel& trained, const PredictOptions& options) {
    if (cells.x.rows() <= options.max_cells) return population_input(trained, cells);
    const auto drawn = draw_rows(cells.x.rows(), options.max_cells, options.draw,
                                 control_stream(options.seed, screen, control, DrawRole::embedding));
    return population_input(trained, take_rows(cells, drawn));
}

// Predicts the populations of one rank.
class Predictor {
  public:
    Predictor(const screen::Screen& screen, std::span<const screen::Population> conditions,
              const TrainedModel& trained, const PredictOptions& options, PredictionFile& file)
        : screen_(screen),
          conditions_(conditions),
          trained_(trained),
          options_(options),
          file_(file),
          reader_(screen, trained) {}

    // Predicts the population of source `s` under its conditions and returns its description. Appends a line
    // for each failure.
    PopulationInput run(std::size_t s, std::string& failures) {
        const std::vector<Prediction>& predictions = file_.plan().predictions;
        const auto first = static_cast<std::size_t>(
            std::ranges::lower_bound(predictions, s, {}, &Prediction::source) - predictions.begin());
        const std::size_t control = predictions[first].control;
        std::vector<std::vector<std::uint64_t>> rows;
        const screen::Cells cells = std::move(reader_.read({&control, 1}, &rows).front());
        PopulationInput population{.embedding = std::vector<float>(trained_.model.context_size(), 0.0F),
                                   .means = {},
                                   .distance = std::numeric_limits<double>::quiet_NaN()};
        const std::string embedding_failure =
            failure_message([&] { population = describe(screen_, control, cells, trained_, options_); });
        for (std::size_t k = first; k < predictions.size() && predictions[k].source == s; ++k) {
            const screen::Population& condition = conditions_[predictions[k].condition];
            std::string failure = embedding_failure;
            if (failure.empty())
                failure = failure_message([&] { transport(k, cells, rows.front(), population, condition); });
            if (failure.empty()) continue;
            file_.drop(k);
            failures += screen::population_label(screen_, control) + " to " +
                        screen::condition_name(condition.treatment, condition.concentration) + "\t" +
                        failure + "\n";
        }
        return population;
    }

  private:
    // Runs `work` and returns the message of a NumericalError or a failed allocation, empty on success.
    template <class Work>
    static std::string failure_message(Work work) {
        try {
            work();
        } catch (const core::NumericalError& error) {
            return error.what();
        } catch (const std::bad_alloc&) {
            return "out of memory";
        }
        return {};
    }

    void transport(std::size_t prediction, const screen::Cells& cells, const std::vector<std::uint64_t>& rows,
                   const PopulationInput& population, const screen::Population& condition) {
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
            transport_cells(trained_, population, condition, options_.solver, noise, states[0].view(),
                            snapshots);
            const std::vector<linalg::ConstMatrixView<float>> views(states.begin(), states.end());
            file_.add(prediction, std::span(rows).subspan(first, n), views);
        }
    }

    const screen::Screen& screen_;
    std::span<const screen::Population> conditions_;
    const TrainedModel& trained_;
    const PredictOptions& options_;
    PredictionFile& file_;
    ScreenReader reader_;
};

// Checks that every population has enough cells: the encoder's graph needs more cells than neighbours.
void check_sizes(const screen::Screen& screen, std::span<const std::size_t> controls,
                 const TrainedModel& trained, const PredictOptions& options) {
    const std::size_t knn = trained.model.neighbours();
    if (knn == 0) return;
    if (options.max_cells <= knn)
        throw core::ConfigError("max-cells",
                                fmt::format("found {}. Give more than {}, the neighbours of each cell in the "
                                            "encoder",
                                            options.max_cells, knn));
    for (const std::size_t control : controls) {
        if (const std::size_t n = screen.populations[control].n_cells; n <= knn) {
            throw core::DataError(
                screen.file, "obs",
                fmt::format("control population {}: found {} cells, but the encoder needs more than {}, the "
                            "neighbours of each cell. Exclude small populations with --min-cells",
                            screen::population_label(screen, control), n, knn));
        }
    }
}

}  // namespace

std::vector<screen::Population> chosen_conditions(const screen::Conditions& trained,
                                                  const std::vector<std::string>& treatments,
                                                  const std::vector<double>& concentrations,
                                                  core::Quantity quantity) {
    if (trained.doses() == screen::Doses::highest && !concentrations.empty()) {
        throw core::ConfigError("concentration",
                                "found " + core::number_label(concentrations.front()) +
                                    ", but the run was trained with --doses highest, on the highest "
                                    "concentration of each treatment. Omit --concentration");
    }
    check_quantity(trained, concentrations, quantity);
    std::vector<screen::Population> chosen;
    for (const std::string& name : requested_treatments(trained, treatments)) {
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

PredictionPlan plan_pair_predictions(const screen::Screen& screen, const screen::Split& split,
                                     std::span<const std::size_t> pairs) {
    PredictionPlan plan{.source_column = "predicted_pair", .has_parts = true};
    for (const std::size_t p : pairs) {
        const screen::Population& treated = screen.populations[screen.pairs[p].treated];
        plan.predictions.push_back({.control = screen.pairs[p].control,
                                    .treatment = treated.treatment,
                                    .concentration = treated.concentration,
                                    .part = screen::part_name(split.parts[p]),
                                    .source = plan.sources.size()});
        plan.sources.push_back(screen::pair_name(screen, p));
    }
    return plan;
}

PredictionPlan plan_control_predictions(const screen::Screen& screen,
                                        std::span<const screen::Population> conditions,
                                        const screen::Conditions& trained, std::size_t neighbours,
                                        FromControls from) {
    PredictionPlan plan{.source_column = "predicted_population"};
    ControlChoice choice = choose_controls(screen, conditions, trained, from);
    plan.notes = std::move(choice.notes);
    std::map<std::string, std::string> known;
    for (const screen::Population& condition : conditions)
        known[condition.treatment] = known_concentration(screen, trained, condition.treatment);
    std::vector<std::size_t> chosen;
    for (std::size_t p = 0; p < screen.populations.size(); ++p) {
        if (!choice.conditions[p].empty()) chosen.push_back(p);
    }
    const auto is_large = [&](std::size_t p) { return screen.populations[p].n_cells > neighbours; };
    const bool keeps_all = neighbours == 0 || std::ranges::none_of(chosen, is_large);
    for (const std::size_t p : chosen) {
        if (!keeps_all && !is_large(p)) {
            plan.too_small.push_back(screen::population_label(screen, p));
            continue;
        }
        for (const std::size_t c : choice.conditions[p]) {
            const screen::Population& condition = conditions[c];
            plan.predictions.push_back({.control = p,
                                        .treatment = condition.treatment,
                                        .concentration = condition.concentration,
                                        .known_concentration = known.at(condition.treatment),
                                        .source = plan.sources.size(),
                                        .condition = c});
        }
        plan.sources.push_back(screen::population_label(screen, p));
    }
    return plan;
}

PredictionSummary predict(const screen::Screen& screen, std::span<const screen::Population> conditions,
                          const TrainedModel& trained, const PredictOptions& options, PredictionFile& file,
                          const mpi::Communicator& comm,
                          const std::function<void(std::size_t, std::size_t)>& done) {
    const PredictionPlan& plan = file.plan();
    std::vector<std::size_t> controls;
    for (const Prediction& p : plan.predictions) controls.push_back(p.control);
    check_sizes(screen, controls, trained, options);
    std::vector<std::size_t> cells(plan.sources.size(), 0);
    for (const Prediction& p : plan.predictions) cells[p.source] = screen.populations[p.control].n_cells;
    const auto parts = mpi::partition_by_weight(cells, static_cast<std::size_t>(comm.size()));
    const std::vector<std::size_t>& own = parts[static_cast<std::size_t>(comm.rank())];

    Predictor predictor(screen, conditions, trained, options, file);
    // Only one rank sets a row, so the sum over the ranks is exact.
    const std::size_t size = trained.model.context_size();
    Matrix<double> described(plan.sources.size(), size + 1);  // embedding and distance
    std::string failures;
    for (std::size_t k = 0; k < own.size(); ++k) {
        const PopulationInput population = predictor.run(own[k], failures);
        std::ranges::copy(population.embedding, described.view().row(own[k]));
        described(own[k], size) = population.distance;
        done(k + 1, own.size());
    }
    comm.sum(described.values());
    PredictionSummary summary{.described = {.embeddings = Matrix<float>(described.rows(), size)}};
    for (std::size_t s = 0; s < described.rows(); ++s) {
        const std::span<const double> row = described.view().row_span(s);
        std::ranges::transform(row.first(size), summary.described.embeddings.view().row(s),
                               [](double e) { return static_cast<float>(e); });
        summary.described.distances.push_back(row[size]);
    }
    for (const std::string& text : comm.gather(failures)) {
        for (const std::string& line : core::split_text(text, '\n')) {
            if (line.empty()) continue;
            const std::size_t tab = line.find('\t');
            summary.failed.push_back({line.substr(0, tab), line.substr(tab + 1)});
        }
    }
    return summary;
}

Matrix<float> embed_controls(const screen::Screen& screen, std::span<const std::size_t> controls,
                             const TrainedModel& trained, const PredictOptions& options) {
    check_sizes(screen, controls, trained, options);
    const ScreenReader reader(screen, trained);
    Matrix<float> embeddings(controls.size(), trained.model.context_size());
    for (std::size_t k = 0; k < controls.size(); ++k) {
        const screen::Cells cells = std::move(reader.read(controls.subspan(k, 1)).front());
        std::ranges::copy(describe(screen, controls[k], cells, trained, options).embedding,
                          embeddings.view().row(k));
    }
    return embeddings;
}

}  // namespace popflow::predict
