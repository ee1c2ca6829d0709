// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace popflow::eval {

/// Relation of a prediction to the control cells.
enum class PredictionKind : std::uint8_t {
    transport,    ///< cells that the model transports
    translate,    ///< control cells plus a constant shift
    moments,      ///< control cells, moved and scaled by the moment map of the training
    target_half,  ///< one half of the target, compared with the other half
    /// As many cells of the target as the model predicts, compared with as many others as the model is
    /// compared with.
    target_sample
};

/// Shift that a predictor adds to the control cells.
enum class Shift : std::uint8_t {
    none,
    training_mean,  ///< mean shift of the condition in training
    target_mean     ///< difference between the means of the target and the control
};

/// One row of each table: the model or a baseline. Every list of predictors comes from predictors().
struct Predictor {
    const char* name;         ///< value of the column `predictor` of the results
    const char* description;  ///< line of the legend of tables, empty for the model
    PredictionKind kind;
    Shift shift = Shift::none;  ///< for PredictionKind::translate
    bool uses_target =
        false;  ///< whether it uses the treated cells of the pair, so that no model competes with it

    bool is_model() const { return kind == PredictionKind::transport; }
};

/// Returns all predictors in the order of the tables: the model, then the baselines, which every table has.
///
/// - identity: the unchanged control.
/// - mean_shift: the control plus the mean shift of its condition in training, or of all conditions for a
/// treatment without
///   training data.
/// - moment_map: the control, moved and scaled by models::make_moment_map_baseline(). For a treatment without
///   training data by the mean change over all conditions.
/// - oracle_shift: the control, shifted to the mean of the target.
/// - noise_floor: one half of the target, compared with the other half.
/// - noise_floor_matched: two disjoint samples of the target with the sizes of the model's comparison.
/// Without
///   scores if the target has fewer cells.
std::span<const Predictor> predictors();

/// Returns the predictor of a name, nullptr for an unknown name.
const Predictor* find_predictor(std::string_view name);

/// Returns the position of a name in predictors(), their number for an unknown name.
std::size_t predictor_index(std::string_view name);

}  // namespace popflow::eval
