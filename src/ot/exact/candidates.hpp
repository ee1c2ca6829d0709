// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact/arcs.hpp"
#include "ot/exact/row_search.hpp"

namespace popflow::ot {

/// Candidate arcs of each row, with a lower bound on c_ij - g_j of the arcs that are not listed.
///
/// Invariant: the column duals g only fall, so c_ij - g_j only rises and a bound stays valid. A search relies
/// on the bound and lists more arcs of a row when it reaches the bound. No arc is missed: the fp32 matrix
/// gives bounds that account for its error, and the costs of listed arcs are exact.
class Candidates {
  public:
    struct Entry {
        std::int64_t cost;
        std::int64_t least;  ///< lower bound on c_ij - g_j of this arc and the arcs after it
        std::uint32_t col;
    };

    /// Lists the `per_row` arcs with the smallest c_ij - g_j of each row.
    ///
    /// @param cost, integer  must outlive this object
    Candidates(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> g,
               std::size_t per_row);

    /// Returns the candidate arcs of row i, sorted by c_ij - g_j at the time of listing.
    std::span<const Entry> row(std::size_t i) const { return rows_[i]; }
    /// Returns a lower bound on c_ij - g_j of the arcs of row i that are not listed.
    std::int64_t bound(std::size_t i) const { return bounds_[i]; }
    /// Replaces the list of row i by the `count` arcs with the smallest c_ij - g_j.
    void list(std::size_t i, std::size_t count) { choose(i, count, search_); }
    /// Sets the dual of column j to a value that is not larger than before.
    void lower(std::size_t j, std::int64_t g);
    /// Number of listed arcs.
    std::size_t size() const;

  private:
    void choose(std::size_t i, std::size_t count, RowSearch& search);

    const Cost& cost_;
    const IntegerCost& integer_;
    std::vector<std::int64_t> duals_;
    linalg::AlignedVector<float> g_;  // duals_ in matrix units, padded
    double largest_g_ = 0;
    RowSearch search_;
    std::vector<std::vector<Entry>> rows_;
    std::vector<std::int64_t> bounds_;
};

}  // namespace popflow::ot
