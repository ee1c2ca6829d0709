// SPDX-License-Identifier: MIT
#include "predict/potential_model.hpp"

#include "core/error.hpp"

namespace popflow::predict {

PotentialModel::PotentialModel(train::Checkpoint checkpoint)
    : checkpoint_(std::make_unique<const train::Checkpoint>(std::move(checkpoint))),
      model_(checkpoint_->model()),
      predictor_(model_->potential_predictor()) {
    if (predictor_ == nullptr)
        throw core::ConfigError("run", "'" + checkpoint_->family->name() +
                                           "' does not predict maps between populations. Give a run of "
                                           "--method meta-icnn");
}

}  // namespace popflow::predict
