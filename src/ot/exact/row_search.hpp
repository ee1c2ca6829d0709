// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Computes the reduced costs of one row and searches for the smallest ones. Not thread-safe: each thread
/// needs its own object.
class RowSearch {
  public:
    explicit RowSearch(std::size_t padded_cols);
    /// Computes r_j = keep c_j - g_j. c and g have the padded length.
    void reduce(const float* c, const float* g, float keep);
    /// Returns the columns of the `count` smallest of the first `columns` elements, in any order.
    ///
    /// Breaks ties by column, cyclically from `first_col` on. Otherwise equal costs would select the same few
    /// columns for every row.
    std::span<const std::uint32_t> smallest(std::size_t columns, std::size_t count, std::size_t first_col);
    /// Returns the smallest of the first `columns` elements.
    float least(std::size_t columns) const;
    /// Calls visit(j) for each of the first `columns` elements with r_j < bound, in ascending order of j.
    template <class Visit>
    void below(std::size_t columns, float bound, Visit visit) const {
        for (std::size_t b = 0; b * block_ < columns; ++b) {
            if (minima_[b] >= bound) continue;
            const std::size_t end = columns < (b + 1) * block_ ? columns : (b + 1) * block_;
            for (std::size_t j = b * block_; j < end; ++j) {
                if (reduced_[j] < bound) visit(j);
            }
        }
    }

  private:
    // Minima of the blocks of the first `columns` elements, without those of padding.
    std::span<const float> minima_of(std::size_t columns) const {
        return {minima_.data(), (columns + block_ - 1) / block_};
    }

    std::size_t block_;  // number of elements that share one minimum
    linalg::AlignedVector<float> reduced_;
    std::vector<float> minima_;
    std::vector<std::uint64_t> keys_;  // scratch of smallest(), one more than columns
    std::vector<std::uint32_t> found_;
};

}  // namespace popflow::ot
