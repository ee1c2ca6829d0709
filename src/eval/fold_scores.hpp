// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/start_map.hpp"
#include "mpi/communicator.hpp"
#include "screen/splits.hpp"
#include "train/pair_sampler.hpp"
#include "train/trainer.hpp"
#include "train/training_set.hpp"

namespace popflow::eval {

/// A training that is repeated on the training part of each fold.
struct FoldTraining {
    const models::Family* family = nullptr;
    const models::Settings* settings = nullptr;  ///< must outlive the training
    train::TrainOptions train{};
    train::PairSampling sampling{};
    train::TrainingSetOptions data{};
    models::StartOptions start{};  ///< without the shrinkage
    linalg::Precision precision = linalg::Precision::fp32;
    std::vector<double> shrinkages{};  ///< values of StartOptions::shrinkage to score
};

/// Cells and draws of the scores of held-out pairs.
struct FoldScoring {
    std::size_t max_cells = 600;  ///< maximum number of cells of a population
    std::uint64_t seed = 0;       ///< seed of their draw
    ode::Options solver{};        ///< method and tolerance of the ODE solver
};

/// Energy distances of the predictions for one held-out pair.
struct HeldOutEnergies {
    std::size_t pair = 0;              ///< index into Screen::pairs
    double training_distance = 0;      ///< see models::relative_distance()
    double identity = 0;               ///< the control cells
    double mean_shift = 0;             ///< the baseline of this name, fitted to the training part of the fold
    double moment_map = 0;             ///< the baseline of this name, as above
    std::vector<double> shrinkages{};  ///< the trained model with each of FoldTraining::shrinkages
};

/// Trains a model on the part `train` of a split, and scores it and the simple models on the part
/// `validation`. Collective over comm.
///
/// Held-out pairs with a treatment that is not in the training part are left out. The trained model has
/// infinite energies if its training or a prediction is not finite.
/// @param stop  asked between steps
/// @return  one element for each scored pair, nothing if `stop` returned true
/// @throws as train::TrainingSet
std::optional<std::vector<HeldOutEnergies>> score_fold(
    const screen::Screen& screen, const screen::Split& split, FoldTraining training,
    const FoldScoring& scoring, const screen::TreatmentVectors& vectors, const train::CellStorage& storage,
    const mpi::Communicator& comm, const std::function<bool()>& stop);

}  // namespace popflow::eval
