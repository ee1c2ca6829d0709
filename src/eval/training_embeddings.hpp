// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "eval/evaluator.hpp"

namespace popflow::eval {

/// Embeddings of the control populations of the training pairs. Complete on rank 0. On other ranks only
/// `stopped` is set.
struct TrainingEmbeddings {
    std::vector<std::size_t> pairs{};  ///< first training pair of each embedded population, ascending
    linalg::Matrix<float> values{};    ///< [pairs, context]
    bool stopped = false;              ///< stopped on request
};

/// Returns the first training pair of each control population that has one.
/// @return  ascending
std::vector<std::size_t> training_populations(const screen::Screen& screen, const EvaluateOptions& options);

/// Embeds the control populations of the training pairs (EvaluateOptions::trained), to compare the scored
/// populations with them. Collective over comm.
///
/// An embedding is that of evaluate() for the same pair: it is computed from the same draw of cells. A
/// population that cannot be embedded is left out, as one with fewer cells than neighbours.
/// @param pairs  result of training_populations()
TrainingEmbeddings embed_training_populations(const screen::Screen& screen,
                                              const std::vector<std::size_t>& pairs,
                                              const predict::TrainedModel& trained,
                                              const EvaluateOptions& options, const TaskControl& control,
                                              const mpi::Communicator& comm);

}  // namespace popflow::eval
