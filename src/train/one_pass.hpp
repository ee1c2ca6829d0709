// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "linalg/matrix.hpp"
#include "models/model.hpp"
#include "mpi/communicator.hpp"
#include "train/pair_sampler.hpp"

namespace popflow::train {

/// Result of a training in one pass.
struct OnePassResult {
    linalg::AlignedVector<float> values;  ///< weights
    double loss = 0;
    std::uint64_t cells = 0;  ///< number of control cells of all pairs
};

/// Trains a model in one pass over the training pairs of all ranks. Collective.
///
/// Each rank summarises its own pairs, one pair per thread. All ranks then fit the summaries of all pairs in
/// the order of the pairs, so the weights have the same bits on any number of ranks and threads.
/// @param lanes  pairs of this rank
/// @param n_weights  size of the layout of the model
/// @throws core::NumericalError on all ranks if a weight is not finite
OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::span<const PairLane> lanes,
                                std::size_t n_weights, const mpi::Communicator& communicator);

}  // namespace popflow::train
