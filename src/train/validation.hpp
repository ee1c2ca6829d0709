// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "models/model.hpp"

namespace popflow::train {

/// One row of the validation table: mean scores over a fixed sample of the validation pairs.
///
/// A score is NaN if a prediction failed.
struct ValidationRow {
    std::uint64_t step = 0;         ///< number of steps done
    double energy = 0;              ///< energy distance of the average weights
    double w2 = 0;                  ///< exact W2 of the average weights
    double mean_shift = 0;          ///< energy distance of the mean shift
    double moment_map = 0;          ///< energy distance of the moment map
    std::uint64_t pairs = 0;        ///< number of scored pairs
    std::uint64_t cells = 0;        ///< number of predicted cells of all pairs, as many as target cells
    std::uint64_t evaluations = 0;  ///< counted work of this check, see Validation
};

/// Scores a model on held-out pairs during its training. The training knows nothing else about these pairs.
///
/// The counted work of a check is the number of evaluations of the velocity of a cell, plus the number of
/// cells that the encoder sees. All functions are collective. Results are equal on all ranks, and have the
/// same bits on any number of ranks and threads.
class Validation {
  public:
    virtual ~Validation() = default;
    /// Draws the sample and reads its cells. Called once, before the first check.
    /// @param rows  rows of the training that is resumed. The new sample is theirs.
    /// @return why no pair can be scored, empty if at least one can
    virtual std::string prepare(const models::Model& model, std::span<const ValidationRow> rows) = 0;
    /// Scores the average weights after `step` steps.
    virtual ValidationRow check(const models::Model& model, std::span<const float> average,
                                std::uint64_t step) = 0;
};

/// Number of checks of a training by gradients. A training in one pass has one.
inline constexpr std::uint64_t validation_checks = 10;

/// Returns whether a check is due after `step` of `total` steps: validation_checks times at even distances,
/// the last time after the last step. After each step if there are fewer steps than checks.
bool is_check_step(std::uint64_t step, std::uint64_t total);

/// Returns the counted work that all checks of a training together may use: a tenth of the velocity
/// evaluations of the training. A step evaluates the velocity of each cell, and its backward pass counts as
/// two evaluations.
/// @param cells_per_step  number of cells of all slots of a step
std::uint64_t validation_budget(std::uint64_t steps, double cells_per_step);

/// Returns whether a check with the work of the last one fits the budget, and the check after the last step
/// still fits as well. True without an earlier check.
/// @param rows  earlier checks
bool fits_budget(std::span<const ValidationRow> rows, std::uint64_t budget);

/// Returns the index of the row with the lowest energy, the first of several. Empty if no energy is a number.
std::optional<std::size_t> best_row(std::span<const ValidationRow> rows);

/// Returns the number of the last checks that did not lower the lowest energy.
std::size_t checks_without_improvement(std::span<const ValidationRow> rows);

/// Validation of a training, and its consequences.
struct ValidationPlan {
    Validation* validation = nullptr;       ///< null for a training without validation, non-owning
    std::optional<std::uint64_t> budget{};  ///< see validation_budget(), empty for no limit
    bool keeps_best = false;                ///< whether the weights of the best check become the result
    std::uint64_t patience = 0;  ///< checks without improvement after which the training ends, 0 for never
};

}  // namespace popflow::train
