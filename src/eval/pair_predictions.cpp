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
    std::vector<screen::Cells> cells = reader.read(ids, &rows);
    const auto drawn =
        predict::draw_rows(cells[0].x.rows(), options.max_cells, options.draw,
                           predict::pair_stream(options.seed, pair, predict::DrawRole::control));
    control_ = predict::take_rows(cells[0], drawn);
    for (const std::uint32_t i : drawn) control_rows_.push_back(rows[0][i]);
    const auto target =
        predict::draw_rows(cells[1].x.rows(), options.max_cells, options.draw,
                           predict::pair_stream(options.seed, pair, predict::DrawRole::target));
    target_ = predict::take_rows(cells[1], target).x;
    all_targets_ = std::move(cells[1]);
}

CellComparison PairPredictions::compare(const Predictor& predictor, std::vector<float>& embedding,
                                        const ode::Snapshots<float>& snapshots) const {
    switch (predictor.kind) {
        case PredictionKind::transport:
            return {transported(embedding, snapshots), target_, {}};
        case PredictionKind::target_half:
            return halves();
        case PredictionKind::moments:
            return {moved_and_scaled(), target_, {}};
        case PredictionKind::target_sample:
            return matched_samples();
        case PredictionKind::translate:
            break;
    }
    if (predictor.shift == Shift::none) return {control_.x, target_, {}};
    return {shifted(predictor.shift == Shift::target_mean ? oracle_shift()
                                                          : trained_mean_shift(trained_, treated_)),
            target_,
            {}};
}

Matrix<float> PairPredictions::transported(std::vector<float>& embedding,
                                           const ode::Snapshots<float>& snapshots) const {
    predict::PopulationInput population = predict::population_input(trained_, control_);
    const auto at = options_.trained.find(pair_);
    if (at != options_.trained.end())
        trained_.model.condition_on_training_pair(at->second, population.embedding);
    embedding = population.embedding;
    Matrix<float> x = control_.x;
    core::Stream noise = predict::control_stream(options_.seed, screen_, screen_.pairs[pair_].control,
                                                 predict::DrawRole::base);
    predict::transport_cells(trained_, population, treated_, options_.tolerance, noise, x.view(), snapshots);
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
        trained_.normalisation.invert(out.view());
        return out;
    };
    const auto control_rows = draw(control_.x, predict::DrawRole::sample_control);
    CellSample sample{.pair = pair_,
                      .control = selected(control_.x, control_rows),
                      .predicted = selected(predicted, control_rows),
                      .treated = selected(target_, draw(target_, predict::DrawRole::sample_target)),
                      .times = times};
    if (mean_shift.rows() > 0) sample.mean_shift = selected(mean_shift, control_rows);
    for (const Matrix<float>& x : flow) sample.flow.push_back(selected(x, control_rows));
    return sample;
}

Matrix<float> PairPredictions::moved_and_scaled() const {
    const models::MomentMap& map = *trained_.moment_map;
    const std::vector<float> context = map.context(trained_.moment_map_values, control_.x.view(), {});
    Matrix<float> x = control_.x;
    models::apply_change(trained_moment_change(trained_, treated_, context), context, x.view());
    return x;
}

std::vector<double> PairPredictions::oracle_shift() const {
    std::vector<double> shift = metrics::marker_means(target_.view());
    const std::vector<double> mean = metrics::marker_means(control_.x.view());
    for (std::size_t j = 0; j < shift.size(); ++j) shift[j] -= mean[j];
    return shift;
}

Matrix<float> PairPredictions::shifted(const std::vector<double>& shift) const {
    Matrix<float> x = control_.x;
    add_shift(shift, x.view());
    return x;
}

// Draws two disjoint samples of the target, each with half of its cells but at most max_cells.
CellComparison PairPredictions::halves() const {
    const std::size_t n = all_targets_.x.rows();
    const auto order = predict::pair_stream(options_.seed, pair_, predict::DrawRole::halves).permutation(n);
    const std::size_t half = std::min(n / 2, options_.max_cells);
    if (half == 0)
        throw core::NumericalError(
            "noise floor",
            "the treated population has one cell, but two halves need at least two. Raise --min-cells");
    const std::span<const std::uint32_t> rows(order);
    return {predict::take_rows(all_targets_, rows.first(half)).x,
            predict::take_rows(all_targets_, rows.subspan(half, half)).x,
            {}};
}

// Draws two disjoint samples of the target with as many cells as the control and the target of the other
// predictors. They are those of halves() if the sizes are the same.
CellComparison PairPredictions::matched_samples() const {
    const std::size_t n = all_targets_.x.rows();
    const std::size_t first = control_.x.rows();
    const std::size_t second = target_.rows();
    if (first + second > n) {
        return {{},
                {},
                fmt::format("samples of {} and {} cells need {} treated cells, but there are {}", first,
                            second, first + second, n)};
    }
    const auto order = predict::pair_stream(options_.seed, pair_, predict::DrawRole::halves).permutation(n);
    const std::span<const std::uint32_t> rows(order);
    return {predict::take_rows(all_targets_, rows.first(first)).x,
            predict::take_rows(all_targets_, rows.subspan(first, second)).x,
            {}};
}

double PairPredictions::training_distance() const {
    if (trained_.moment_map == nullptr) return std::numeric_limits<double>::quiet_NaN();
    return models::relative_distance(
        trained_.start_statistics(),
        trained_.moment_map->context(trained_.moment_map_values, control_.x.view(), {}));
}

std::vector<double> PairPredictions::control_means() const {
    return metrics::marker_means(control_.x.view());
}

}  // namespace popflow::eval
