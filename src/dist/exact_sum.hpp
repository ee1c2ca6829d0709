// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dist/communicator.hpp"

namespace popflow::dist {

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
    /// Adds one gradient. @return false if an element is not finite or beyond the limit; the sum is then
    /// useless
    bool add(std::span<const float> gradient);
    /// Adds the sums of all ranks, each rank those of its own part of the elements (see part_bounds());
    /// nothing else may then be read. Collective.
    void reduce(const Communicator& communicator, std::span<const std::size_t> bounds);
    /// out = scale * sum, of the elements from `first` on.
    void read(double scale, std::size_t first, std::span<float> out) const;

  private:
    std::vector<std::int64_t> storage_;
    std::span<std::int64_t> total_;  ///< the elements in use
    std::vector<std::int64_t> received_;
    float unit_;
    bool empty_ = true;  ///< nothing was added: the elements are still those of the sum before
};

}  // namespace popflow::dist
