// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/aligned.hpp"
#include "mpi/communicator.hpp"
#include "mpi/parts_sum.hpp"

namespace popflow::mpi {

/// Sums of gradients that do not depend on the order of the summands.
///
/// Each float is rounded to a multiple of 2^-36 (1.5e-11) units and added as a 64-bit integer; integer
/// addition is associative, so slots may be summed by any thread and rank in any order. Data are normalised
/// to unit variance, which bounds useful gradients of a velocity far below the limit of one summand, 2^14
/// units; up to 2^12 summands fit.
class ExactSum {
  public:
    /// @param unit  a power of two
    explicit ExactSum(std::size_t size, float unit = 1) : storage_(size), total_(storage_), unit_(unit) {}
    ExactSum(const ExactSum&) = delete;
    ExactSum& operator=(const ExactSum&) = delete;

    /// Starts a sum of `size` elements, at most those it was made for.
    void clear(std::size_t size);
    void clear() { clear(storage_.size()); }
    /// Adds weight * one gradient. @return false if an element of it is not finite or beyond the limit; the
    /// sum is then useless
    bool add(std::span<const float> gradient, float weight = 1);
    /// Starts reduce() before the last gradient of this rank is complete, which then comes by add_last().
    void start_reduce(const Communicator& communicator, std::span<const std::size_t> bounds);
    /// Adds weight * elements [first, end) of the last gradient, `end` the first of the call before, and
    /// gives the parts that are complete to their ranks. @return as add()
    bool add_last(std::span<const float> gradient, std::size_t first, float weight = 1);
    /// out = scale * the sum of all ranks, of this rank's own part of the elements, see part_bounds(). The
    /// sum is then of no use. Collective.
    void reduce(const Communicator& communicator, std::span<const std::size_t> bounds, double scale,
                std::span<float> out);

  private:
    bool add_range(std::span<const float> gradient, float weight, std::size_t first, std::size_t count);

    core::AlignedVector<std::int64_t> storage_;
    std::span<std::int64_t> total_;  ///< the elements in use
    std::optional<PartsSum> exchange_;
    std::size_t not_added_ = 0;  ///< elements of the last gradient
    float unit_;
    bool empty_ = true;  ///< nothing was added: the elements are still those of the sum before
};

}  // namespace popflow::mpi
