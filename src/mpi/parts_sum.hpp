// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "mpi/communicator.hpp"

namespace popflow::mpi {

/// The sum over ranks of integers, of each rank its own part, which begins before all summands are known.
///
/// Each rank calls start(), then final_from() as often as it likes with elements of which its summands will
/// not change any more, then finish(). What is final is packed, see packed_integers.hpp, and a part travels
/// as soon as all of it is; parts are met from the last to the first, the order in which a backward pass ends
/// its layers. Sums are exact as long as none leaves the integers, and modulo 2^64 otherwise. Of all ranks;
/// calls come from one thread at a time and throw MpiError.
class PartsSum {
  public:
    explicit PartsSum(const Communicator& communicator);
    ~PartsSum();
    PartsSum(PartsSum&&) noexcept;
    PartsSum& operator=(PartsSum&&) = delete;
    PartsSum(const PartsSum&) = delete;
    PartsSum& operator=(const PartsSum&) = delete;

    /// @param values  the summands of this rank, read and written until finish()
    /// @param bounds  rank r has [bounds[r], bounds[r + 1]), see part_bounds(); must live until finish()
    void start(std::span<std::int64_t> values, std::span<const std::size_t> bounds);
    bool started() const;
    /// The elements from `first` on will not change any more, but by finish().
    void final_from(std::size_t first);
    /// Waits for all: out = scale * sum, of the own part. The values are then of no use.
    void finish(double scale, std::span<float> out);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace popflow::mpi
