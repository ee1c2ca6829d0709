// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "eval/partial_results.hpp"
#include "eval/set_comparison.hpp"
#include "linalg/matrix.hpp"
#include "mpi/communicator.hpp"
#include "predict/generator.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

/// Sets of populations that are compared with the held-out ones.
///   - model: generated populations.
///   - resample: populations of the training part, fewer than held-out ones if there are fewer.
///   - gaussian: Gaussians whose mean and Cholesky factor are drawn from independent normal distributions
///   with
///     the moments of those of the training populations.
///   - pooled: random cells of all training populations together.
///   - given: cells drawn with replacement from the given ones, if the model completes populations.
///   - noise: what the flow starts at: populations of noise, or the smoothed given cells.
///   - floor: half of the held-out populations, compared with the other half.
/// @param completes  whether the model completes populations
const std::vector<std::string>& set_predictor_names(bool completes);

/// Options of an evaluation of generated populations.
struct SetEvaluationOptions {
    SetOptions sets{};
    predict::GenerateOptions generate{};  ///< its numbers of populations and cells are set by the data
    std::size_t max_cells = 5000;         ///< maximum number of cells of a population
    std::uint64_t seed = 0;               ///< seed of all draws
    std::size_t samples = 8;              ///< populations of each label whose cells are stored, for plots
    std::size_t sample_cells = 500;
};

/// Scores of one predictor for one label and distance.
struct SetRow {
    std::string label;  ///< treatment and dose, or `all` for all labels together
    std::string predictor;
    SetComparison comparison{};
    std::size_t real = 0;       ///< number of held-out populations
    std::size_t generated = 0;  ///< number of compared populations of the predictor
    std::size_t training = 0;   ///< number of training populations
    std::size_t cells = 0;      ///< number of cells of each held-out population, or their mean, rounded
    std::string note{};         ///< why there are no scores, empty if there are
    double seconds = 0;
};

/// Cells of one population, for plots.
struct SetSample {
    std::string label;
    std::string set;  ///< real, model or training
    std::size_t index = 0;
    double time = 1;              ///< flow time of a population of the model
    linalg::Matrix<float> cells;  ///< [n, d] in the space of the scores
};

/// Result of an evaluation of generated populations. Complete on rank 0.
struct SetEvaluation {
    std::vector<SetRow> rows;
    std::vector<SetSample> samples;
    std::vector<std::string> notes;
    bool stopped = false;
};

/// Callbacks and storage of an evaluation of sets. Each may be empty.
struct SetControl {
    PartialResults* partial = nullptr;  ///< stores the scores of each label and predictor
    std::function<void(std::size_t done, std::size_t of)> progress{};
    std::function<bool()> stop{};  ///< called by the threads of each rank between distances
};

/// Compares generated populations with the held-out populations of each label, and of all labels together.
///
/// A model that completes populations gets random cells of each held-out population. The other cells are
/// compared with its prediction, and SetComparison::paired compares each population with its own one.
///
/// By default all compared populations have the same number of cells: that of the smallest one, at most
/// max_cells. With SetCells::own a population keeps its cells, at most max_cells, and a generated one has as
/// many as a random training population of its label. At most SetOptions::max_populations of a set are drawn.
/// The model generates as many as there are held-out ones. Every rank reads all populations. Distances are in
/// the space of the model: normalised markers, or coordinates of principal components. The result does not
/// depend on the number of ranks. Collective over comm. Without training populations the predictors that need
/// them have no scores.
/// @param screen  with ScreenOptions::unpaired
/// @param part  part of the split that is held out
/// @throws core::ConfigError if no label has two held-out populations
SetEvaluation evaluate_sets(const screen::Screen& screen, const screen::Split& split, screen::Part part,
                            const predict::GeneratorModel& generator, const SetEvaluationOptions& options,
                            const SetControl& control, const mpi::Communicator& comm);

}  // namespace popflow::eval
