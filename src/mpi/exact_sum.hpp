// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/aligned.hpp"
#include "mpi/communicator.hpp"
#include "mpi/reduce_scatter.hpp"

namespace popflow::mpi {

/// Deterministic sum of gradients: the result does not depend on the order of the summands.
///
/// Each float is rounded to a multiple of 2^-36 (1.5e-11) units and added as a 64-bit integer. Integer
/// addition is associative, so slots may be added in any order, by any thread and on any rank.
///
/// The limit of one summand is 2^14 units, and up to 2^12 summands fit. Data are normalised to unit variance,
/// so useful gradients of a velocity are far below this limit.
///
/// Not thread-safe: one call at a time. Each call uses all OpenMP threads.
class ExactSum {
  public:
    /// @param size  maximum number of elements
    /// @param unit  scale of the gradients, a power of two
    explicit ExactSum(std::size_t size, float unit = 1) : storage_(size), total_(storage_), unit_(unit) {}
    ExactSum(const ExactSum&) = delete;
    ExactSum& operator=(const ExactSum&) = delete;

    /// Starts a new sum of `size` elements, at most the size given to the constructor.
    void clear(std::size_t size);
    /// Starts a new sum of the maximum size.
    void clear() { clear(storage_.size()); }
    /// Adds weight * gradient.
    /// @return false if an element is not finite or beyond the limit. The sum is then invalid
    bool add(std::span<const float> gradient, float weight = 1);
    /// Starts reduce() before the last gradient of this rank is complete, so that communication overlaps with
    /// its computation. That gradient then has to be added by add_final_range(). Non-blocking. A rank may
    /// omit the call: reduce() then starts the reduction.
    ///
    /// @param bounds  ranks + 1 offsets, see part_bounds(). Must live until reduce() returns
    /// @throws core::MpiError if an MPI call fails. The sum is then invalid
    void start_reduce(const Communicator& communicator, std::span<const std::size_t> bounds);
    /// Adds weight * elements [first, end) of the last gradient and sends the complete parts to their ranks.
    /// `end` is `first` of the previous call, or the size. Not collective: ranks may call it any number of
    /// times. @return as add()
    bool add_final_range(std::span<const float> gradient, std::size_t first, float weight = 1);
    /// Reduce-scatter: out = scale * (sum over all ranks) for this rank's part of the elements. Collective.
    /// The stored sum is invalid afterwards, until clear(). If a rank throws, the others may block, so the
    /// program has to end with mpi::abort().
    ///
    /// @param bounds  ranks + 1 offsets, see part_bounds()
    /// @param out     bounds[rank + 1] - bounds[rank] elements
    /// @throws core::MpiError if an MPI call fails
    void reduce(const Communicator& communicator, std::span<const std::size_t> bounds, double scale,
                std::span<float> out);

  private:
    bool add_range(std::span<const float> gradient, float weight, std::size_t first, std::size_t count);

    core::AlignedVector<std::int64_t> storage_;
    std::span<std::int64_t> total_;  ///< elements in use, a view of storage_
    std::optional<ReduceScatter> reduction_;
    std::size_t pending_ =
        0;  ///< number of elements of the last gradient that add_final_range() has not added yet
    float unit_;
    bool empty_ = true;  ///< no gradient was added since clear(): total_ still holds the previous sum
};

}  // namespace popflow::mpi
