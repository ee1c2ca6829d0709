// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "eval/evaluator.hpp"
#include "eval/score_text.hpp"

namespace popflow::eval {

/// What all pairs of a rank share.
struct ScoringJob {
    const screen::Screen& screen;
    std::span<const std::size_t> pairs;  ///< all that are evaluated, ascending
    const predict::TrainedModel& flow;
    const predict::ScreenReader& inputs;
    const EvaluateOptions& options;
    predict::PredictionFile* predictions;  ///< may be nullptr
};

/// Scores some pairs at a time, all their predictors side by side over the threads.
std::vector<ScoredPair> score_pairs(const ScoringJob& job, std::span<const std::size_t> pairs);

/// Gives the file of predictions the cells of a pair that was scored before.
///
/// Draws are keyed by the pair: they are the cells that were scored. An error here is not recorded: the pair
/// did not fail when it was scored.
/// @throws as population_context(), transport_cells() and the readers
void predict_again(const ScoringJob& job, std::size_t pair);

}  // namespace popflow::eval
