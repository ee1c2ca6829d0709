// SPDX-License-Identifier: MIT
#include "eval/simple_models.hpp"

#include "metrics/mean_change.hpp"

namespace popflow::eval {

namespace {

// Returns the row of a condition, or the mean of all rows for one that was not trained on.
std::vector<double> shift_of(const screen::Conditions& conditions, const linalg::Matrix<float>& shifts,
                             const screen::Population& treated) {
    if (const auto c = conditions.index(treated)) {
        const auto row = shifts.view().row_span(*c);
        return {row.begin(), row.end()};
    }
    conditions.require(treated.treatment);
    return metrics::marker_means(shifts.view());
}

}  // namespace

std::vector<double> trained_mean_shift(const predict::TrainedModel& trained,
                                       const screen::Population& treated) {
    return shift_of(trained.conditions, trained.mean_shifts, treated);
}

std::vector<double> trained_marker_shift(const predict::TrainedModel& trained,
                                         const screen::Population& treated) {
    return shift_of(trained.conditions, *trained.marker_shifts, treated);
}

models::MomentChange trained_moment_change(const predict::TrainedModel& trained,
                                           const screen::Population& treated,
                                           std::span<const float> context) {
    const models::MomentMap& map = *trained.moment_map;
    if (const auto c = trained.conditions.index(treated))
        return map.change(trained.moment_map_values, context, *c);
    trained.conditions.require(treated.treatment);
    const std::size_t conditions = trained.conditions.count();
    const std::size_t markers = trained.mean_shifts.cols();
    models::MomentChange mean{std::vector<double>(markers, 0.0), std::vector<double>(markers, 0.0)};
    for (std::size_t c = 0; c < conditions; ++c) {
        const models::MomentChange one = map.change(trained.moment_map_values, context, c);
        for (std::size_t j = 0; j < mean.shift.size(); ++j) {
            mean.shift[j] += one.shift[j] / static_cast<double>(conditions);
            mean.log_ratio[j] += one.log_ratio[j] / static_cast<double>(conditions);
        }
    }
    return mean;
}

void add_shift(const std::vector<double>& shift, linalg::MatrixView<float> x) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) += static_cast<float>(shift[j]);
    }
}

}  // namespace popflow::eval
