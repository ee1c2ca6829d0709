// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// The reduced costs of one row and the search for the smallest of them; each thread has its own.
class RowSearch {
  public:
    using Found = std::pair<float, std::uint32_t>;  ///< reduced cost and column

    explicit RowSearch(std::size_t padded_cols);
    /// r_j = keep c_j - g_j; all rows have the padded length.
    void reduce(const float* c, const float* g, float keep);
    /// The `count` smallest of the first `columns`, in any order.
    ///
    /// Among equals, the columns from `turn` on come first, so that equal costs do not send every row to the
    /// same few columns.
    std::span<const Found> smallest(std::size_t columns, std::size_t count, std::size_t turn);
    /// Calls visit(j) for each of the first `columns` with r_j < bound, in order.
    template <class Visit>
    void below(std::size_t columns, float bound, Visit visit) const {
        for (std::size_t b = 0; b * block < columns; ++b) {
            if (minima_[b] >= bound) continue;
            const std::size_t end = columns < (b + 1) * block ? columns : (b + 1) * block;
            for (std::size_t j = b * block; j < end; ++j) {
                if (reduced_[j] < bound) visit(j);
            }
        }
    }

  private:
    static constexpr std::size_t block = 32;  // elements that share one minimum

    linalg::AlignedVector<float> reduced_;
    std::vector<float> minima_;
    std::vector<float> sorted_;
    std::vector<Found> found_;
};

}  // namespace popflow::ot
