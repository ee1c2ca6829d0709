// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact/basis_tree.hpp"
#include "ot/exact/dense_costs.hpp"

namespace popflow::ot {

/// Solves transport on all arcs of a dense cost matrix exactly by the network simplex method, in integers.
///
/// A pass searches each row for its most negative slack c_ij - f_i - g_j, then pivots on these rows, the most
/// negative first. Each row is searched again before its pivot. Passes are in fp32, with exact slacks of the
/// arcs that they find, until they find none. Exact passes follow, until one finds none.
///
/// Keeps its memory between problems. Runs on the calling thread.
///
/// Source:  Ahuja, Magnanti and Orlin, "Network flows", 1993, chapter 11.
class DenseSimplex {
  public:
    /// Builds the starting basis: assigns rows in the order of their slack for given column duals, each to
    /// the open column with the smallest c_ij - g_j.
    ///
    /// @param supply, demand  > 0, with equal sums below 2^62
    /// @param g  [m], in units of the integer costs, between -2^60 and 2^60
    void start(const DenseCosts& costs, std::span<const std::int64_t> supply,
               std::span<const std::int64_t> demand, std::span<const float> g);

    /// Makes the basis optimal for these costs, which may differ from those of start() and earlier calls.
    ///
    /// @return  number of passes
    /// @throws core::NumericalError if the method does not terminate
    std::size_t solve(const DenseCosts& costs);

    const BasisTree& basis() const { return tree_; }
    /// Returns the column dual g_j relative to the potential of the root.
    std::int64_t column_dual(std::size_t j) const {
        return -static_cast<std::int64_t>(tree_.col_potentials()[j]);
    }

  private:
    // Row whose cheapest open column has this slack above the smallest c_ij - g_j of the row.
    struct Waiting {
        float slack;
        std::uint32_t row;
        bool operator>(const Waiting& other) const {
            return slack != other.slack ? slack > other.slack : row > other.row;
        }
    };

    std::size_t pass_fp32(const DenseCosts& costs);
    std::size_t pass_exact(const DenseCosts& costs);
    void count_pivot();

    BasisTree tree_;
    std::size_t pivots_left_ = 0;
    std::vector<std::pair<float, std::uint32_t>> found_fp32_;
    std::vector<std::pair<std::int64_t, std::uint32_t>> found_;

    // State of start().
    std::vector<std::int64_t> supply_;
    std::vector<std::int64_t> demand_;
    linalg::AlignedVector<float> key_;  // -g_j of the open columns
    std::vector<std::uint32_t> cheapest_;
    std::vector<float> first_slack_;
    std::vector<Waiting> queue_;
};

}  // namespace popflow::ot
