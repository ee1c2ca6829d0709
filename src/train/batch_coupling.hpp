// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "mpi/communicator.hpp"

namespace popflow::train {

/// Exact optimal transport between the cells that all slots of a batch draw for one condition.
///
/// The slots may be on different ranks. A cell of one slot may be paired with a treated cell of another.
///
/// In each step, add() the slots of this rank, then call couple(), then read target(). The ranks exchange
/// their cells. Each rank that has a slot of a condition solves the problem of this condition, and all of
/// them get the same bits.
class BatchCoupling {
  public:
    /// @param slots  number of slots of a batch, on all ranks
    BatchCoupling(std::size_t slots, const mpi::Communicator& communicator);

    /// Adds the cells of a slot of this rank. Call it in ascending order of slots.
    ///
    /// Shapes:  condition [c], base [n, d], target [n, d]. All slots have the same c and d.
    /// @throws core::ShapeMismatch
    void add(std::size_t slot, std::span<const float> condition, linalg::ConstMatrixView<float> base,
             linalg::ConstMatrixView<float> target);

    /// Pairs all added cells and removes the slots, so that the next step can add its own. Collective.
    /// @throws core::NumericalError on all ranks if the cells exceed the size of one message
    void couple();

    /// Returns the treated cells of a slot of this rank [n, d], where row i is the partner of row i of its
    /// base. Empty if a cell of the slot's condition is not finite.
    linalg::ConstMatrixView<float> target(std::size_t slot) const { return targets_[slot].view(); }

  private:
    // Views of the data of one slot in the message of its rank.
    struct Record {
        std::span<const float> condition;
        linalg::ConstMatrixView<float> base;
        linalg::ConstMatrixView<float> target;
    };
    Record record(std::size_t slot, const float* first) const;
    void exchange();
    void couple_group(std::span<const std::size_t> group, std::span<const Record> records);

    mpi::Communicator communicator_;
    std::size_t condition_size_ = 0;
    std::size_t n_markers_ = 0;
    /// Number of floats in the record of each slot. Zero for slots of other ranks before exchange().
    std::vector<std::int64_t> lengths_;
    std::vector<std::size_t> own_slots_;  ///< slots of this rank
    std::vector<float> own_records_;
    std::vector<float> records_;                  ///< records of all slots, in the order of ranks
    std::vector<std::size_t> bounds_;             ///< rank r has records_ [bounds_[r], bounds_[r + 1])
    std::vector<linalg::Matrix<float>> targets_;  ///< target of each slot, empty for slots of other ranks
    linalg::Matrix<float> base_;                  ///< base cells of one condition
    linalg::Matrix<float> target_;                ///< treated cells of one condition
};

}  // namespace popflow::train
