// SPDX-License-Identifier: MIT
#include "eval/pair_predictions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "eval/simple_models.hpp"
#include "metrics/mean_change.hpp"

namespace popflow::eval {

using linalg::Matrix;

PairPredictions::PairPredictions(const screen::Screen& screen, std::size_t pair,
                                 const predict::TrainedModel& trained, const predict::ScreenReader& reader,
                                 const EvaluateOptions& options)
    : screen_(screen),
      pair_(pair),
      trained_(trained),
      options_(options),
      treated_(screen.populations[screen.pairs[pair].treated]) {
    const std::size_t ids[] = {screen.pairs[pair].control, screen.pairs[pair].treated};
    std::vector<std::vector<std::uint64_t>> rows;
    std::vector<screen::Cells> cells = reader.read_markers(ids, &rows);
    const auto control =
        predict::draw_rows(cells[0].x.rows(), options.max_cells, options.draw,
                           predict::pair_stream(options.seed, pair, predict::DrawRole::control));
    for (const std::uint32_t i : control) control_rows_.push_back(rows[0][i]);
    const auto target =
        predict::draw_rows(cells[1].x.rows(), options.max_cells, options.draw,
                           predict::pair_stream(options.seed, pair, predict::DrawRole::target));
    const auto drawn = [&](screen::Cells controls, screen::Cells targets) {
        PairCells own{predict::take_rows(controls, control), predict::take_rows(targets, target).x, {}};
        own.all_targets = std::move(targets);
        return own;
    };
    if (trained.latent != nullptr) {
        markers_ = drawn(cells[0], cells[1]);
        for (screen::Cells& c : cells) c = screen::encoded(trained.latent, std::move(c));
    }
    cells_ = drawn(std::move(cells[0]), std::move(cells[1]));
}

namespace {

// Returns the difference between the means of the target and of the control.
std::vector<double> oracle_shift(const Matrix<float>& control, const Matrix<float>& target) {
    std::vector<double> shift = metrics::marker_means(target.view());
    const std::vector<double> mean = metrics::marker_means(control.view());
    for (std::size_t j = 0; j < shift.size(); ++j) shift[j] -= mean[j];
    return shift;
}

}  // namespace

CellComparison PairPredictions::compare(const Predictor& predictor, std::vector<float>& embedding,
                                        const ode::Snapshots<float>& snapshots) const {
    switch (predictor.kind) {
        case PredictionKind::transport:
            return {transported(embedding, snapshots), cells_.target, {}};
        case PredictionKind::target_half:
            return halves(cells_);
        case PredictionKind::moments:
            return {moved_and_scaled(), cells_.target, {}};
        case PredictionKind::target_sample:
            return matched_samples(cells_);
        case PredictionKind::translate:
            break;
    }
    if (predictor.shift == Shift::none) return {cells_.control.x, cells_.target, {}};
    return translated(cells_, predictor.shift == Shift::target_mean
                                  ? oracle_shift(cells_.control.x, cells_.target)
                                  : trained_mean_shift(trained_, treated_));
}

CellComparison PairPredictions::compare_markers(const Predictor& predictor,
                                                const CellComparison& compared) const {
    switch (predictor.kind) {
        case PredictionKind::transport:
        case PredictionKind::moments:
            return {trained_.latent->decode(compared.predicted.view()), markers_.target, {}};
        case PredictionKind::target_half:
            return halves(markers_);
        case PredictionKind::target_sample:
            return matched_samples(markers_);
        case PredictionKind::translate:
            break;
    }
    if (predictor.shift == Shift::none) return {markers_.control.x, markers_.target, {}};
    return translated(markers_, predictor.shift == Shift::target_mean
                                    ? oracle_shift(markers_.control.x, markers_.target)
                                    : trained_marker_shift(trained_, treated_));
}

Matrix<float> PairPredictions::transported(std::vector<float>& embedding,
                                           const ode::Snapshots<float>& snapshots) const {
    predict::PopulationInput population = predict::population_input(trained_, cells_.control);
    const auto at = options_.trained.find(pair_);
    if (at != options_.trained.end())
        trained_.model.condition_on_training_pair(at->second, population.embedding);
    embedding = population.embedding;
    Matrix<float> x = cells_.control.x;
    core::Stream noise = predict::control_stream(options_.seed, screen_, screen_.pairs[pair_].control,
                                                 predict::DrawRole::base);
    predict::transport_cells(trained_, population, treated_, options_.solver, noise, x.view(), snapshots);
    return x;
}

CellSample PairPredictions::sample(const Matrix<float>& predicted, const Matrix<float>& mean_shift,
                                   const std::vector<double>& times,
                                   const std::vector<Matrix<float>>& flow) const {
    const auto draw = [&](const Matrix<float>& x, predict::DrawRole role) {
        return predict::draw_rows(x.rows(), options_.sample_cells, predict::Draw::random,
                                  predict::pair_stream(options_.seed, pair_, role));
    };
    const auto selected = [&](const Matrix<float>& x, const std::vector<std::uint32_t>& rows) {
        Matrix<float> out(rows.size(), x.cols());
        for (std::size_t i = 0; i < rows.size(); ++i)
            std::ranges::copy(x.view().row_span(rows[i]), out.view().row(i));
        if (trained_.latent != nullptr)
            trained_.latent->unscale(out.view());
        else
            trained_.normalisation.invert(out.view());
        return out;
    };
    const auto control_rows = draw(cells_.control.x, predict::DrawRole::sample_control);
    CellSample sample{
        .pair = pair_,
        .control = selected(cells_.control.x, control_rows),
        .predicted = selected(predicted, control_rows),
        .treated = selected(cells_.target, draw(cells_.target, predict::DrawRole::sample_target)),
        .times = times};
    if (mean_shift.rows() > 0) sample.mean_shift = selected(mean_shift, control_rows);
    for (const Matrix<float>& x : flow) sample.flow.push_back(selected(x, control_rows));
    return sample;
}

Matrix<float> PairPredictions::moved_and_scaled() const {
    const models::MomentMap& map = *trained_.moment_map;
    const std::vector<float> context = map.context(trained_.moment_map_values, cells_.control.x.view(), {});
    Matrix<float> x = cells_.control.x;
    models::apply_change(trained_moment_change(trained_, treated_, context), context, x.view());
    return x;
}

CellComparison PairPredictions::translated(const PairCells& cells, const std::vector<double>& shift) const {
    CellComparison comparison{cells.control.x, cells.target, {}};
    add_shift(shift, comparison.predicted.view());
    return comparison;
}

// Draws two disjoint samples of the target, each with half of its cells but at most max_cells.
CellComparison PairPredictions::halves(const PairCells& cells) const {
    const std::size_t n = cells.all_targets.x.rows();
    const auto order = predict::pair_stream(options_.seed, pair_, predict::DrawRole::halves).permutation(n);
    const std::size_t half = std::min(n / 2, options_.max_cells);
    if (half == 0)
        throw core::NumericalError(
            "noise floor",
            "the treated population has one cell, but two halves need at least two. Raise --min-cells");
    const std::span<const std::uint32_t> rows(order);
    return {predict::take_rows(cells.all_targets, rows.first(half)).x,
            predict::take_rows(cells.all_targets, rows.subspan(half, half)).x,
            {}};
}

// Draws two disjoint samples of the target with as many cells as the control and the target of the other
// predictors. They are those of halves() if the sizes are the same.
CellComparison PairPredictions::matched_samples(const PairCells& cells) const {
    const std::size_t n = cells.all_targets.x.rows();
    const std::size_t first = cells.control.x.rows();
    const std::size_t second = cells.target.rows();
    if (first + second > n) {
        return {{},
                {},
                fmt::format("samples of {} and {} cells need {} treated cells, but there are {}", first,
                            second, first + second, n)};
    }
    const auto order = predict::pair_stream(options_.seed, pair_, predict::DrawRole::halves).permutation(n);
    const std::span<const std::uint32_t> rows(order);
    return {predict::take_rows(cells.all_targets, rows.first(first)).x,
            predict::take_rows(cells.all_targets, rows.subspan(first, second)).x,
            {}};
}

double PairPredictions::training_distance() const {
    if (trained_.moment_map == nullptr) return std::numeric_limits<double>::quiet_NaN();
    return models::relative_distance(
        trained_.start_statistics(),
        trained_.moment_map->context(trained_.moment_map_values, cells_.control.x.view(), {}));
}

std::vector<double> PairPredictions::control_means() const {
    return metrics::marker_means((trained_.latent != nullptr ? markers_ : cells_).control.x.view());
}

}  // namespace popflow::eval
