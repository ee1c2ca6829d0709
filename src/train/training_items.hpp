// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include "models/model.hpp"
#include "mpi/communicator.hpp"
#include "train/one_pass.hpp"
#include "train/pair_sampler.hpp"
#include "train/sampler.hpp"
#include "train/trainer.hpp"
#include "train/training_set.hpp"

namespace popflow::train {

/// Items of a training, and how its slots draw from them. Each kind of item has one class.
class TrainingItems {
  public:
    virtual ~TrainingItems() = default;
    /// Number of items of all ranks.
    virtual std::size_t count() const = 0;
    /// Makes the sampler of a training by gradients. The items must outlive it. Collective.
    virtual std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                                  const mpi::Communicator& communicator) const = 0;
    /// Trains a model in one pass. Collective. @throws as popflow::train::train_in_one_pass()
    virtual OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                            const mpi::Communicator& communicator) const = 0;
    /// Whether a draw depends on the number of steps of the training.
    virtual bool depends_on_steps() const { return false; }
};

/// Pairs of populations.
class PairItems : public TrainingItems {
  public:
    /// @param set  must outlive this object
    PairItems(const TrainingSet& set, const PairSampling& sampling) : set_(set), sampling_(sampling) {}

    std::size_t count() const override { return set_.pairs().size(); }
    std::unique_ptr<Sampler> make_sampler(const models::Model& model, const TrainOptions& train,
                                          const mpi::Communicator& communicator) const override;
    OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                    const mpi::Communicator& communicator) const override;
    bool depends_on_steps() const override {
        return sampling_.augment_until != 1 && sampling_.augmentation.any();
    }

  private:
    const TrainingSet& set_;
    PairSampling sampling_;
};

}  // namespace popflow::train
