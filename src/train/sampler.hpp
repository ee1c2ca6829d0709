// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/model.hpp"

namespace popflow::train {

/// Items that one slot of every batch draws from. An epoch of a lane visits each of its items once.
struct Lane {
    std::size_t slot = 0;
    float weight = 1;                ///< see lane_weight()
    std::vector<std::size_t> items;  ///< indices among the items of all ranks
};

/// Returns the weight of a lane's slots in loss and gradient: the number of its items divided by the mean
/// number over all lanes.
///
/// Lanes differ by up to one item, and a slot visits each item of a longer lane less often. The weight
/// compensates for this, so that all items count equally.
float lane_weight(std::size_t items_of_lane, std::size_t lanes, std::size_t items);

/// One draw of a slot.
struct Visit {
    std::size_t lane = 0;  ///< index into Sampler::lanes()
    std::size_t item = 0;  ///< index into Lane::items
    std::uint64_t step = 0;
    bool is_last = true;                ///< whether no further draw of this item follows in this step
    std::optional<std::size_t> next{};  ///< item of the next step, if it is known
};

/// Computation on the draws of all slots of a step, between the draws and the gradients.
///
/// In each step the trainer adds the slots of this rank in ascending order, calls run(), draws each slot
/// again and calls apply(). The result must not depend on the number of ranks.
class BatchStage {
  public:
    virtual ~BatchStage() = default;
    /// Adds the draw of a slot of this rank.
    virtual void add(std::size_t slot, const models::SlotInput& input) = 0;
    /// Computes on all slots of all ranks. Collective. @throws core::NumericalError on all ranks
    virtual void run() = 0;
    /// Changes the repeated draw of a slot of this rank. @throws core::NumericalError for this slot
    virtual void apply(std::size_t slot, models::SlotInput& input) const = 0;
};

/// Draws the inputs of the slots of a step from the items of this rank. Each kind of item has one sampler.
///
/// A draw is a pure function of the seed, the step and the slot.
class Sampler {
  public:
    virtual ~Sampler() = default;

    /// Lanes of this rank. All ranks together have one lane for each slot of a batch.
    virtual const std::vector<Lane>& lanes() const = 0;
    /// Maximum number of cells that a slot draws.
    virtual std::size_t max_cells() const = 0;
    /// Makes the input and the buffers of one thread. They grow to the largest slot and are then reused.
    virtual std::unique_ptr<models::SlotInput> make_input() const = 0;
    /// Overwrites an input of make_input() with a draw. Thread-safe for different inputs.
    /// @throws core::NumericalError for cells that are not finite
    virtual void draw(const Visit& visit, models::SlotInput& input) const = 0;
    /// Returns the batch stage, or null if the slots are independent.
    virtual BatchStage* batch_stage() { return nullptr; }
};

}  // namespace popflow::train
