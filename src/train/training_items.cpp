// SPDX-License-Identifier: MIT
#include "train/training_items.hpp"

namespace popflow::train {

std::unique_ptr<Sampler> PairItems::make_sampler(const models::Model& model, const TrainOptions& train,
                                                 const mpi::Communicator& communicator) const {
    PairSampling sampling = sampling_;
    if (const models::CellTransport* transport = model.cell_transport()) sampling.base = transport->base();
    return std::make_unique<PairSampler>(sampling, train.seed, set_.lanes(), train.batch_pairs, train.steps,
                                         communicator);
}

OnePassResult PairItems::train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                           const mpi::Communicator& communicator) const {
    const std::vector<PairLane> lanes = set_.lanes();
    return train::train_in_one_pass(model, lanes, n_weights, communicator);
}

}  // namespace popflow::train
