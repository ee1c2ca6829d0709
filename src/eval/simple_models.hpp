// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "models/moment_map.hpp"
#include "predict/trained_model.hpp"
#include "screen/screen.hpp"

namespace popflow::eval {

/// Returns the mean shift of a condition [d] in the space of the model. A condition that was not trained on
/// has the mean over the trained conditions.
/// @throws core::Error for a treatment that the model cannot encode
std::vector<double> trained_mean_shift(const predict::TrainedModel& trained,
                                       const screen::Population& treated);
/// Returns the same for normalised markers. Needs TrainedModel::marker_shifts.
std::vector<double> trained_marker_shift(const predict::TrainedModel& trained,
                                         const screen::Population& treated);

/// Returns the change that the baseline moment map predicts for a population. A condition that was not
/// trained on has the mean over the trained conditions. Needs TrainedModel::moment_map.
/// @param context  context of the population, see models::MomentMap::context()
/// @throws core::Error for a treatment that the model cannot encode
models::MomentChange trained_moment_change(const predict::TrainedModel& trained,
                                           const screen::Population& treated, std::span<const float> context);

/// Adds a shift [d] to each row. Shape: x [n, d], in place.
void add_shift(const std::vector<double>& shift, linalg::MatrixView<float> x);

}  // namespace popflow::eval
