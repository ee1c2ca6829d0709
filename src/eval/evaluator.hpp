// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "eval/cell_sample.hpp"
#include "metrics/scores.hpp"
#include "mpi/communicator.hpp"
#include "predict/trained_model.hpp"
#include "screen/splits.hpp"

namespace popflow::predict {
class PredictionFile;
}

namespace popflow::eval {

class PartialResults;

/// Scores by name, in the order of the tables: w1 w2 mmd r2 energy r2_means w1_markers. Those are computed
/// unless others are asked for.
const std::vector<std::string>& metric_names();
/// Those, and sinkhorn.
const std::vector<std::string>& all_metric_names();
double metric(const metrics::Scores& scores, const std::string& name);

/// Predictors by name, in the order of the tables: the model, then those that every table must carry.
///
/// identity: the control unchanged. mean_shift: the control plus the mean shift of its condition in training,
/// or of a treatment that was not trained on the mean of those of all conditions. oracle_shift: the control
/// moved to the target's mean. noise_floor: one half of the target against the other.
const std::vector<std::string>& predictor_names();

/// Of EvaluateOptions::max_cells: no limit.
inline constexpr std::size_t all_cells = std::numeric_limits<std::size_t>::max();

/// What an evaluation scores, and how.
struct EvaluateOptions {
    std::vector<screen::Part> parts{screen::Part::test};
    std::size_t train_pairs = 0;   ///< training pairs that are scored, spread over the patients; 0: all
    std::size_t max_cells = 5000;  ///< cells of a population that are scored
    predict::Draw draw = predict::Draw::random;
    std::uint64_t seed = 0;   ///< of that draw
    double tolerance = 1e-4;  ///< of the flow's solver, relative and absolute
    std::vector<std::string> metrics = metric_names();
    double sinkhorn_epsilon = metrics::SinkhornDivergenceOptions{}.epsilon;
    double sinkhorn_rho = 0;            ///< 0: infinite
    std::size_t sample_pairs = 8;       ///< pairs of which cells are kept for pictures
    std::vector<std::string> sample{};  ///< parts of the names of those pairs; empty: a choice is made
    std::size_t sample_cells = 500;     ///< of each of their populations, at most
    /// The pairs that the model was trained on, each with its place among the training pairs; empty for other
    /// data.
    std::map<std::size_t, std::size_t> trained{};
    std::vector<std::size_t> sampled{};  ///< these pairs, as of sampled_pairs()
};

/// The metrics of an evaluation.
metrics::Selection selection(const EvaluateOptions& options);

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

/// Everything an evaluation gives; complete on rank 0, `stopped` alone elsewhere.
struct Evaluation {
    std::vector<PairScore> scores;     ///< by pair, then in the order of predictor_names()
    std::vector<std::size_t> pairs;    ///< rows of `embeddings`, ascending
    linalg::Matrix<float> embeddings;  ///< [pairs, context]: h of the control of each pair; 0 columns for FM
    std::vector<CellSample> samples;   ///< of the sampled pairs that did not fail
    bool stopped = false;              ///< before all pairs were done; those that are done are in it
};

/// Where an evaluation leaves what it finds on its way, and who watches it. Each may be empty.
struct EvaluationControl {
    /// Is given the control cells that the model carried, for each pair that did not fail; its prediction k
    /// is that of pairs[k].
    predict::PredictionFile* predictions = nullptr;
    /// Keeps each pair that is scored. Pairs that it has from before are not scored again.
    PartialResults* partial = nullptr;
    /// Called on rank 0 now and then, with the number of pairs that all ranks have done.
    std::function<void(std::size_t done, std::size_t of)> progress{};
    /// Asked on each rank between its pairs: whether the evaluation is to stop. One rank's yes is enough.
    std::function<bool()> stop{};
};

/// Scores every predictor on some pairs. Collective over comm.
///
/// Pairs are handed out as ranks become free, longest first; a rank takes as many at a time as it has
/// threads, fewer towards the end. The threads share out the predictors of all of them. Draws are keyed by
/// (seed, pair), so results do not depend on who did what. The cells of a control that are carried and scored
/// are at most max_cells of it, drawn at random for each pair, in the order of the file. A pair that fails is
/// recorded with status and message, and the others go on.
///
/// @param pairs  ascending
Evaluation evaluate(const screen::Screen& screen, std::span<const std::size_t> pairs,
                    const predict::TrainedModel& flow, const EvaluateOptions& options,
                    const EvaluationControl& control, const mpi::Communicator& comm);

}  // namespace popflow::eval
