// SPDX-License-Identifier: MIT
#include "popflow/popflow.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <new>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "metrics/mean_change.hpp"
#include "metrics/metric.hpp"
#include "options/run_config.hpp"
#include "ot/exact.hpp"
#include "predict/prediction_space.hpp"
#include "predict/predictor.hpp"
#include "predict/run_model.hpp"

namespace popflow {

namespace {

linalg::ConstMatrixView<float> view_of(CellsView cells) {
    return {cells.data, cells.rows, cells.cols};
}

// Runs `work` and converts all errors to those of the interface, with one line of text. Labels of a file may
// contain line breaks.
template <class Work>
auto translate_errors(Work work) {
    try {
        return work();
    } catch (const Exception&) {
        throw;
    } catch (const core::UserError& error) {
        throw InvalidInput(core::printable(error.what()));
    } catch (const core::ShapeMismatch& error) {
        throw InvalidInput(core::printable(error.what()));
    } catch (const std::bad_alloc&) {
        throw Exception("not enough memory");
    } catch (const std::exception& error) {
        throw Exception(core::printable(error.what()));
    }
}

// Reads a run. libhdf5 serves one thread at a time, so threads that load at the same time take turns.
predict::RunModel load_model(const std::string& run) {
    static std::mutex one_at_a_time;
    const std::scoped_lock lock(one_at_a_time);
    try {
        return predict::RunModel::load(run);
    } catch (const std::bad_alloc&) {
        throw core::Error(run + ": not enough memory to load the model, or a file of the run is damaged");
    }
}

[[noreturn]] void reject(const std::string& name, const std::string& problem) {
    throw InvalidInput(name + ": " + problem);
}

const metrics::Metric& metric_of(const std::string& name) {
    const metrics::Metric* metric = metrics::find_metric(name);
    if (metric == nullptr) {
        const std::vector<std::string>& known = metrics::metric_names();
        reject("metrics", "'" + name + "' is no metric. Use " + core::joined(known, known.size()));
    }
    return *metric;
}

TransportSolution solve(const ot::Cost& cost, std::span<const double> a, std::span<const double> b) {
    try {
        ot::TransportPlan plan = ot::solve_exact(cost, a, b);
        TransportSolution solution{.value = plan.value,
                                   .plan = {},
                                   .f = std::move(plan.duals.f),
                                   .g = std::move(plan.duals.g),
                                   .violation = plan.violation,
                                   .gap = plan.gap};
        solution.plan.reserve(plan.plan.size());
        for (const ot::PlanEntry& entry : plan.plan) solution.plan.push_back({entry.i, entry.j, entry.mass});
        return solution;
    } catch (const core::NumericalError& error) {  // weights that have no plan
        throw InvalidInput(error.what());
    }
}

}  // namespace

struct Model::Impl {
    explicit Impl(const std::string& run) : model(load_model(run)) {
        options::RunConfig config;
        options::run_options(config).parse_text(model.checkpoint().config, run);
        transform = config.screen.transform;
        size_factor = config.screen.size_factor;
    }

    // Returns the control population as the model sees it: scaled, transformed, normalised, in the latent
    // space if there is one, with numbered cell types.
    screen::Cells prepare(CellsView control, const std::vector<std::string>& labels,
                          const std::vector<double>& totals) const {
        const train::Checkpoint& checkpoint = model.checkpoint();
        const std::size_t markers = checkpoint.markers.size();
        if (control.cols != markers || control.rows == 0)
            reject("control", "found " + std::to_string(control.rows) + " cells x " +
                                  std::to_string(control.cols) + " markers, expected at least one cell and " +
                                  std::to_string(markers) + " markers");
        if (const std::size_t knn = model.trained().model.neighbours(); control.rows <= knn)
            reject("control", "found " + std::to_string(control.rows) + " cells. Give more than " +
                                  std::to_string(knn) + ", the neighbours of each cell in the encoder");
        if (size_factor.is_set() && totals.size() != control.rows)
            reject("totals", "found " + std::to_string(totals.size()) + " numbers, expected " +
                                 std::to_string(control.rows) +
                                 ", the sum of each control cell over all columns: the run was trained with "
                                 "--size-factor " +
                                 size_factor.text());
        screen::Cells cells{linalg::Matrix<float>(control.rows, markers),
                            std::vector<std::uint8_t>(control.rows, 0)};
        std::copy_n(control.data, control.rows * markers, cells.x.values().begin());
        for (std::size_t i = 0; i < control.rows; ++i) {
            const std::span<float> row = cells.x.view().row_span(i);
            if (!transform.allows(row))
                reject("control", "row " + std::to_string(i) +
                                      ": found a value that is not finite, or negative with log1p");
            if (size_factor.is_set() && !(totals[i] >= 0 && std::isfinite(totals[i])))
                reject("totals",
                       "row " + std::to_string(i) + ": found a number that is negative or not finite");
            if (size_factor.is_set()) size_factor.apply(totals[i], row);
            transform.apply(row);
        }
        checkpoint.normalisation.apply(cells.x.view());
        if (checkpoint.cell_types.size() > 1) number_types(checkpoint.cell_types, labels, cells.cell_type);
        return screen::encoded(checkpoint.latent.if_used(), std::move(cells));
    }

    static void number_types(const std::vector<std::string>& known, const std::vector<std::string>& labels,
                             std::vector<std::uint8_t>& numbers) {
        if (labels.size() != numbers.size())
            reject("cell_types", "found " + std::to_string(labels.size()) + " labels, expected " +
                                     std::to_string(numbers.size()) + ", one per control cell");
        for (std::size_t i = 0; i < labels.size(); ++i)
            numbers[i] = predict::cell_type_number(known, labels[i]).value_or(models::unknown_cell_type);
    }

    predict::RunModel model;
    screen::Transform transform;
    screen::SizeFactor size_factor;
};

Model Model::load(const std::string& run) {
    return translate_errors([&] {
        Model model;
        model.impl_ = std::make_shared<const Impl>(run);
        return model;
    });
}

const std::vector<std::string>& Model::markers() const {
    return impl_->model.checkpoint().markers;
}

std::vector<std::string> Model::treatments() const {
    std::vector<std::string> names;
    for (const auto& treatment : impl_->model.checkpoint().conditions.treatments())
        names.push_back(treatment.name);
    return names;
}

const std::vector<std::string>& Model::cell_types() const {
    return impl_->model.checkpoint().cell_types;
}

std::string Model::method() const {
    return impl_->model.checkpoint().family->name();
}

Cells Model::predict(CellsView control, const PredictRequest& request) const {
    return translate_errors([&] {
        const predict::TrainedModel& trained = impl_->model.trained();
        std::vector<double> concentrations;
        if (request.concentration) concentrations.push_back(*request.concentration);
        if (!request.concentration && trained.conditions.doses() == screen::Doses::all)
            reject("concentration", "missing: the run was trained with --doses all");
        const screen::Population condition =
            predict::chosen_conditions(trained.conditions, {request.treatment}, concentrations).front();
        screen::Cells cells = impl_->prepare(control, request.cell_types, request.totals);
        const predict::PopulationInput population = predict::population_input(trained, cells);
        core::Stream noise = predict::pair_stream(request.seed, 0, predict::DrawRole::base);
        predict::transport_cells(trained, population, condition, {.tolerance = request.tolerance}, noise,
                                 cells.x.view());
        if (trained.latent != nullptr) cells.x = trained.latent->decode(cells.x.view());
        predict::to_space(predict::Space::raw, trained.normalisation, impl_->transform, cells.x.view());
        const std::span<const float> values = cells.x.values();
        return Cells{{values.begin(), values.end()}, control.rows, control.cols};
    });
}

std::vector<float> Model::embed(CellsView control, const std::vector<std::string>& cell_types,
                                const std::vector<double>& totals) const {
    return translate_errors([&] {
        return predict::population_context(impl_->model.trained(),
                                           impl_->prepare(control, cell_types, totals));
    });
}

std::map<std::string, double> compute_metrics(CellsView predicted, CellsView truth,
                                              const std::vector<std::string>& names, CellsView control) {
    const bool has_control = control.data != nullptr && control.rows > 0;
    std::vector<std::string> chosen = names;
    if (names.empty()) {
        chosen = metrics::default_metric_names();
        std::erase_if(chosen,
                      [&](const auto& name) { return !has_control && metric_of(name).needs_control; });
    }
    for (const std::string& name : chosen) {
        if (metric_of(name).needs_control && !has_control)
            reject("control", "found no cells, but " + name + " compares changes from the control cells");
    }
    try {
        std::vector<double> means;
        if (has_control) means = metrics::marker_means(view_of(control));
        const metrics::Scores scores =
            metrics::score(view_of(predicted), view_of(truth), metrics::select_metrics(chosen),
                           {.control_means = has_control ? &means : nullptr});
        std::map<std::string, double> result;
        for (const std::string& name : chosen) result[name] = scores.*metric_of(name).score;
        return result;
    } catch (const core::Error& error) {  // shapes, or values that are not finite
        throw InvalidInput(error.what());
    }
}

TransportSolution solve_transport(CellsView x, CellsView y, TransportCost cost, std::span<const double> a,
                                  std::span<const double> b) {
    return translate_errors([&] {
        const auto kind =
            cost == TransportCost::euclidean ? ot::CostKind::euclidean : ot::CostKind::squared_euclidean;
        return solve(ot::Cost(kind, view_of(x), view_of(y)), a, b);
    });
}

TransportSolution solve_transport(std::span<const double> cost, std::size_t n, std::size_t m,
                                  std::span<const double> a, std::span<const double> b) {
    if (cost.size() != n * m || cost.empty())
        reject("cost", "found " + std::to_string(cost.size()) + " elements, expected " + std::to_string(n) +
                           " x " + std::to_string(m));
    return translate_errors(
        [&] { return solve(ot::Cost(linalg::ConstMatrixView<double>(cost.data(), n, m)), a, b); });
}

std::string version() {
    return std::string(core::version()) + " (" + core::commit() + ")";
}

}  // namespace popflow
