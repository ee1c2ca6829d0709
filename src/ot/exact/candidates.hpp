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

/// The arcs of each row that matter so far, with a bound on those that are not in its list.
///
/// While the column duals g only fall, the reduced costs c_ij - g_j only rise, so a bound that held once
/// holds from then on: a search may rely on it and extends a row when it comes to the bound. No arc is
/// missed: the fp32 matrix gives bounds that its error cannot break, listed costs are exact.
class Candidates {
  public:
    struct Entry {
        std::int64_t cost;
        std::int64_t least;  ///< neither this arc nor any after it has c_ij - g_j below this
        std::uint32_t col;
    };

    /// Lists the `per_row` arcs of least c_ij - g_j of each row.
    Candidates(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> g,
               std::size_t per_row);

    /// By reduced cost at the time of listing.
    std::span<const Entry> row(std::size_t i) const { return rows_[i]; }
    /// No arc of row i that is not listed has c_ij - g_j below this.
    std::int64_t bound(std::size_t i) const { return bounds_[i]; }
    /// Lists row i anew, `count` arcs of least c_ij - g_j.
    void list(std::size_t i, std::size_t count) { choose(i, count, search_); }
    /// A dual has fallen.
    void lower(std::size_t j, std::int64_t g);
    /// Number of listed arcs.
    std::size_t size() const;

  private:
    void choose(std::size_t i, std::size_t count, RowSearch& search);

    const Cost& cost_;
    const IntegerCost& integer_;
    std::vector<std::int64_t> duals_;
    linalg::AlignedVector<float> g_;  // the same, padded, matrix units
    double largest_g_ = 0;
    RowSearch search_;
    std::vector<std::vector<Entry>> rows_;
    std::vector<std::int64_t> bounds_;
};

}  // namespace popflow::ot
