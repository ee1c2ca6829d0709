// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "mpi/communicator.hpp"

namespace popflow::train {

/// Exact optimal transport between the cells that all slots of a batch draw for one condition, wherever the
/// slots are: a cell of one slot may be paired with a treated cell of another.
///
/// Of each step: add() the slots of this rank, then couple(), then read target(). The ranks give each other
/// their cells; those with a slot of a condition solve it, to the same bits.
class BatchCoupling {
  public:
    /// @param slots  of a batch, of all ranks
    BatchCoupling(std::size_t slots, const mpi::Communicator& communicator);

    /// The cells of a slot of this rank; slots ascend.
    ///
    /// Shapes:  condition [c], base [n, d], target [n, d]; c and d are those of all slots.
    void add(std::size_t slot, std::span<const float> condition, linalg::ConstMatrixView<float> base,
             linalg::ConstMatrixView<float> target);

    /// Pairs all cells that were added; the slots are then forgotten. Collective.
    /// @throws core::NumericalError on all ranks if the cells are more than one message can hold
    void couple();

    /// The treated cells that a slot of this rank trains with, row i the partner of row i of its base, [n,
    /// d]; empty if a value of its condition is not finite.
    linalg::ConstMatrixView<float> target(std::size_t slot) const { return targets_[slot].view(); }

  private:
    // What a slot brings, in the message of its rank.
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
    std::vector<std::int64_t> lengths_;  ///< floats of the record of each slot; of own ones until exchange()
    std::vector<std::size_t> own_;       ///< slots of this rank
    std::vector<float> own_records_;
    std::vector<float> records_;                  ///< of all slots, in the order of ranks
    std::vector<std::size_t> bounds_;             ///< of the records of each rank
    std::vector<linalg::Matrix<float>> targets_;  ///< of each slot; others than own ones stay empty
    linalg::Matrix<float> base_;                  ///< cells of a condition
    linalg::Matrix<float> target_;
};

}  // namespace popflow::train
