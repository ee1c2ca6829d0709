// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/conditions.hpp"
#include "data/normalisation.hpp"
#include "data/splits.hpp"
#include "dist/communicator.hpp"
#include "metrics/scores.hpp"
#include "models/model.hpp"

namespace popflow::eval {

/// Scores by name, in the order of the tables: w1 w2 mmd r2 energy r2_means w1_markers.
const std::vector<std::string>& metric_names();
double metric(const metrics::Scores& scores, const std::string& name);

/// Predictors by name, in the order of the tables: the model, then those that every table must carry.
///
/// identity: the control unchanged. mean_shift: the control plus the mean shift of its condition in training.
/// oracle_shift: the control moved to the target's mean. noise_floor: one half of the target against the
/// other.
const std::vector<std::string>& predictor_names();

/// Which cells of a population are scored if it has more than the limit.
enum class Draw {
    random,
    first,  ///< the first rows, as published; they may be of one cell type alone
};

/// What an evaluation scores, and how.
struct EvaluateOptions {
    std::vector<data::Part> parts{data::Part::test};
    std::size_t train_pairs = 0;   ///< training pairs that are scored, spread over the patients; 0: all
    std::size_t max_cells = 5000;  ///< cells of a population that are scored
    Draw draw = Draw::random;
    std::uint64_t seed = 0;   ///< of that draw
    double tolerance = 1e-4;  ///< of the flow's solver, relative and absolute
    std::vector<std::string> metrics = metric_names();
};

/// A trained model with what it needs to be used; refers to things that must outlive it.
struct TrainedFlow {
    const models::Model& model;
    std::span<const float> values;  ///< weights
    bool gaussian_base = false;
    const data::Normalisation& normalisation;
    const data::Conditions& conditions;
    const linalg::Matrix<float>& mean_shifts;  ///< [conditions.count(), d], normalised
};

/// The metrics of these names.
metrics::Selection selection(const std::vector<std::string>& metrics);

/// How one predictor did on one pair.
struct PairScore {
    std::size_t pair = 0;  ///< index into Screen::pairs
    std::string predictor;
    metrics::Scores scores{};
    std::size_t n_predicted = 0;  ///< cells compared
    std::size_t n_target = 0;
    std::string status = "ok";  ///< or `failed`
    std::string message{};
    double seconds = 0;  ///< of transport and scores
    int rank = 0;
};

/// Everything an evaluation gives; complete on rank 0, empty elsewhere.
struct Evaluation {
    std::vector<PairScore> scores;     ///< by pair, then in the order of predictor_names()
    std::vector<std::size_t> pairs;    ///< rows of `embeddings`, ascending
    linalg::Matrix<float> embeddings;  ///< [pairs, context]: h of the control of each pair; 0 columns for FM
};

/// Scores every predictor on some pairs. Collective over comm.
///
/// Pairs are dealt to the ranks, largest first; a rank holds as many pairs at a time as it has threads, which
/// share out the predictors of all of them. Draws are keyed by (seed, pair), so results do not depend on who
/// did what. A pair that fails is recorded with status and message, and the others go on.
///
/// @param done  called on each rank as its pairs are done, with their number and that of all its pairs
Evaluation evaluate(const data::Screen& screen, std::span<const std::size_t> pairs, const TrainedFlow& flow,
                    const EvaluateOptions& options, const dist::Communicator& comm,
                    const std::function<void(std::size_t done, std::size_t of)>& done);

}  // namespace popflow::eval
