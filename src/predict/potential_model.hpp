// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "models/model.hpp"
#include "train/checkpoint.hpp"

namespace popflow::predict {

/// A model of transport between populations that owns everything it needs to predict. Thread-safe.
class PotentialModel {
  public:
    /// @throws core::ConfigError{run} if the method of the run does not predict potentials of populations
    explicit PotentialModel(train::Checkpoint checkpoint);

    const train::Checkpoint& checkpoint() const { return *checkpoint_; }
    const models::PotentialPredictor& predictor() const { return *predictor_; }

  private:
    std::unique_ptr<const train::Checkpoint> checkpoint_;
    std::unique_ptr<const models::Model> model_;
    const models::PotentialPredictor* predictor_;
};

}  // namespace popflow::predict
