// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

/// Returns the lanes of this rank for items of equal weight.
/// @param noun  name of an item, for the message
/// @throws core::ConfigError{batch-pairs} if there are fewer items than slots, or fewer than `min`
std::vector<Lane> equal_lanes(std::size_t items, std::size_t slots, const mpi::Communicator& communicator,
                              const std::string& noun, std::size_t min = 1);

/// Makes the constants of a model: draws those of the method, and fits its fixed encoder to the control
/// populations. Without cells (TrainingSetOptions::reads_cells) the encoder has placeholders.
/// @throws core::ConfigError as models::FixedEncoderKind::fit()
models::Constants make_model_constants(const models::Family& family, const models::Settings& settings,
                                       const TrainingSet& set, std::uint64_t seed);

/// Returns a note if the fixed encoder of a method has fewer components than asked for, empty otherwise.
/// @param constants  result of make_model_constants()
std::string encoder_note(const models::Family& family, const models::Settings& settings,
                         const TrainingSet& set, const models::Constants& constants);

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
