// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/splits.hpp"
#include "dist/communicator.hpp"
#include "eval/cell_sample.hpp"
#include "eval/transport.hpp"
#include "metrics/scores.hpp"

namespace popflow::eval {

class PredictionFile;

/// Scores by name, in the order of the tables: w1 w2 mmd r2 energy r2_means w1_markers.
const std::vector<std::string>& metric_names();
double metric(const metrics::Scores& scores, const std::string& name);

/// Predictors by name, in the order of the tables: the model, then those that every table must carry.
///
/// identity: the control unchanged. mean_shift: the control plus the mean shift of its condition in training.
/// oracle_shift: the control moved to the target's mean. noise_floor: one half of the target against the
/// other.
const std::vector<std::string>& predictor_names();

/// What an evaluation scores, and how.
struct EvaluateOptions {
    std::vector<data::Part> parts{data::Part::test};
    std::size_t train_pairs = 0;   ///< training pairs that are scored, spread over the patients; 0: all
    std::size_t max_cells = 5000;  ///< cells of a population that are scored
    Draw draw = Draw::random;
    std::uint64_t seed = 0;   ///< of that draw
    double tolerance = 1e-4;  ///< of the flow's solver, relative and absolute
    std::vector<std::string> metrics = metric_names();
    std::size_t sample_pairs = 8;        ///< pairs of which cells are kept for pictures
    std::size_t sample_cells = 500;      ///< of each of their populations, at most
    std::vector<std::size_t> sampled{};  ///< these pairs, as of sampled_pairs()
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
    std::vector<CellSample> samples;   ///< of the sampled pairs that did not fail
};

/// Scores every predictor on some pairs. Collective over comm.
///
/// Pairs are dealt to the ranks, largest first; a rank holds as many pairs at a time as it has threads, which
/// share out the predictors of all of them. Draws are keyed by (seed, pair), so results do not depend on who
/// did what. The cells of a control that are carried and scored are at most max_cells of it, drawn at random
/// for each pair, in the order of the file. A pair that fails is recorded with status and message, and the
/// others go on.
///
/// @param predictions  if there, is given the control cells that the model carried, for each pair that did
/// not fail; its prediction k is that of pairs[k]
/// @param done  called on each rank as its pairs are done, with their number and that of all its pairs
Evaluation evaluate(const data::Screen& screen, std::span<const std::size_t> pairs, const TrainedFlow& flow,
                    const EvaluateOptions& options, PredictionFile* predictions,
                    const dist::Communicator& comm,
                    const std::function<void(std::size_t done, std::size_t of)>& done);

}  // namespace popflow::eval
