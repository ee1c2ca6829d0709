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
#include "eval/predictor.hpp"
#include "eval/task.hpp"
#include "metrics/metric.hpp"
#include "mpi/communicator.hpp"
#include "predict/trained_model.hpp"
#include "screen/splits.hpp"

namespace popflow::predict {
class PredictionFile;
}

namespace popflow::eval {

/// Value of EvaluateOptions::max_cells for no limit.
inline constexpr std::size_t all_cells = std::numeric_limits<std::size_t>::max();

/// Options of an evaluation: pairs, cells and metrics.
struct EvaluateOptions {
    std::vector<screen::Part> parts{screen::Part::test};
    std::size_t train_pairs = 0;   ///< number of training pairs to score, spread over the patients, 0 for all
    std::size_t max_cells = 5000;  ///< maximum number of cells to score of a population
    predict::Draw draw = predict::Draw::random;
    std::uint64_t seed = 0;  ///< seed of that draw
    ode::Options solver{};   ///< method and tolerance of the ODE solver
    std::vector<std::string> metrics = metrics::default_metric_names();
    double sinkhorn_epsilon = metrics::SinkhornDivergenceOptions{}.epsilon;
    double sinkhorn_rho = 0;            ///< 0 for infinite
    std::size_t sample_pairs = 8;       ///< number of pairs whose cells are stored for plots
    std::vector<std::string> sample{};  ///< parts of the names of those pairs, empty for sampled_pairs()
    std::size_t sample_cells = 500;     ///< maximum number of stored cells of each of their populations
    /// Training pairs of the model among the pairs of the screen: index of the pair -> index among the
    /// training pairs. Empty for other data.
    std::map<std::size_t, std::size_t> trained{};
    std::vector<std::size_t> sampled{};  ///< pairs whose cells are stored, see sampled_pairs()
};

/// Returns the metrics to compute, with the options of the Sinkhorn divergence.
metrics::Selection selection(const EvaluateOptions& options);

/// Scores of one predictor on one pair.
struct PairScore {
    std::size_t pair = 0;  ///< index into Screen::pairs
    std::string predictor;
    metrics::Scores scores{};
    std::size_t n_predicted = 0;  ///< number of predicted cells in the comparison
    std::size_t n_target = 0;     ///< number of target cells in the comparison
    std::string status = "ok";    ///< `ok` or `failed`
    std::string message{};        ///< why it failed, or why a predictor has no scores
    /// Distance of the control to the training populations, see models::relative_distance().
    double training_distance = std::numeric_limits<double>::quiet_NaN();
    double seconds = 0;  ///< run time of the prediction and the scores
    int rank = 0;        ///< rank that computed it
};

/// Result of an evaluation. Complete on rank 0. On other ranks only `stopped` is set.
struct Evaluation {
    std::vector<PairScore> scores;     ///< by pair, then in the order of predictor_names()
    std::vector<std::size_t> pairs;    ///< rows of `embeddings`, ascending
    linalg::Matrix<float> embeddings;  ///< [pairs, context]: embedding h of each control, no columns for FM
    std::vector<CellSample> samples;   ///< cells of the sampled pairs that did not fail
    bool stopped = false;              ///< stopped on request. Only the finished pairs are included
};

/// Returns PairScore::training_distance of each of Evaluation::pairs.
std::vector<double> pair_distances(const Evaluation& evaluation);

/// Scores every predictor on some pairs. Collective over comm.
///
/// The pairs are the items of a task, see run_task(). The threads of a rank process the predictors of a chunk
/// of pairs in parallel.
///
/// At most max_cells cells of a control are transported and scored. They are drawn for each pair and keep the
/// order of the file. The stream keys contain the seed and the pair or its control population. The results
/// are therefore deterministic for any number of ranks and threads. A pair that fails is recorded with status
/// and message. The other pairs continue.
///
/// @param pairs  ascending
/// @param predictions  receives the predicted cells of each pair that did not fail, may be null. Its
///                     prediction k belongs to pairs[k].
/// @throws core::WriteError if predictions or partial results cannot be stored
Evaluation evaluate(const screen::Screen& screen, std::span<const std::size_t> pairs,
                    const predict::TrainedModel& trained, const EvaluateOptions& options,
                    const TaskControl& control, predict::PredictionFile* predictions,
                    const mpi::Communicator& comm);

}  // namespace popflow::eval
