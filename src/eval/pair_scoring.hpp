// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "eval/evaluator.hpp"
#include "eval/score_text.hpp"

namespace popflow::eval {

/// Inputs that all pairs of an evaluation share. Non-owning.
struct ScoringJob {
    const screen::Screen& screen;
    std::span<const std::size_t> pairs;  ///< all evaluated pairs, ascending
    const predict::TrainedModel& trained;
    const predict::ScreenReader& reader;
    const EvaluateOptions& options;
    predict::PredictionFile* predictions;  ///< may be nullptr
};

/// Scores all predictors on a chunk of pairs, in parallel over the predictors and pairs.
///
/// An error of a predictor is recorded in its PairScore.
/// @throws core::WriteError if the predicted cells cannot be stored
std::vector<ScoredPair> score_pairs(const ScoringJob& job, std::span<const std::size_t> pairs);

/// Adds the predicted cells of a pair that an earlier evaluation scored to the prediction file.
///
/// The stream keys contain the pair, so these are the cells that were scored. An error is thrown and not
/// recorded, because the pair did not fail when it was scored.
/// @throws as population_context(), transport_cells() and the readers
void predict_again(const ScoringJob& job, std::size_t pair);

}  // namespace popflow::eval
