// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

#include "train/pair_sampler.hpp"
#include "train/trainer.hpp"

namespace popflow::support {

/// Trainer of a model whose items are pairs, with its sampler.
struct PairTrainer {
    PairTrainer(const models::Model& model, const train::TrainOptions& options,
                const train::PairSampling& sampling, std::vector<train::PairLane> lanes,
                const mpi::Communicator& comm)
        : sampler(sampling, options.seed, std::move(lanes), options.batch_pairs, options.steps, comm),
          trainer(model, options, sampler, comm) {}

    train::StepReport step() { return trainer.step({}); }

    train::PairSampler sampler;
    train::Trainer trainer;
};

}  // namespace popflow::support
