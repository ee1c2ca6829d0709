// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Exact assignment of n rows to n columns on a sparse set of arcs by shortest augmenting paths, in
/// integers.
///
/// Keeps duals with f_i + g_j <= c_ij on every arc, and pairs only where they are equal. Every row without
/// a partner takes the column that is best for it, from another row if need be, whose dual falls until the
/// row's second choice is as good. A row that is left after some rounds of this searches the shortest path to
/// a free column (Dijkstra on reduced costs, stopped at the first), the duals along the search rise, and the
/// pairs on the path change over. With good duals to begin with most rows find their partner at once. Arcs
/// may be added: rows whose duals they break start again.
///
/// Source: Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
///         assignment problems", Computing 38, 1987; deviation: the duals come from outside, in place of
///         their column reduction.
class Assignment {
  public:
    /// @param g  any duals of the columns
    explicit Assignment(std::vector<std::int64_t> g);

    /// Makes the pairs optimal on these arcs, which hold every arc of the calls before.
    ///
    /// @throws core::NumericalError if the arcs hold no assignment
    void solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// The pairs, by rows; one unit each.
    std::vector<Flow> plan() const;

  private:
    struct QueueEntry {
        std::int64_t distance;
        std::uint32_t col;
        bool operator>(const QueueEntry& other) const {
            return distance != other.distance ? distance > other.distance : col > other.col;
        }
    };
    static constexpr std::uint32_t npos = 0xffffffff;

    void restore_feasibility(const ArcList& arcs);
    void take_free_columns(const ArcList& arcs);
    void reduce_rows(const ArcList& arcs);
    void augment(const ArcList& arcs, std::uint32_t source);
    void scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance);
    void pair(std::uint32_t row, std::uint32_t col);

    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::vector<std::uint32_t> col_of_;  // [n], none without a partner
    std::vector<std::uint32_t> row_of_;

    std::vector<std::uint32_t> waiting_;  // rows without a partner

    // The search: a column's label is valid where its stamp is the search's number.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> stamp_;
    std::vector<std::int64_t> distance_;
    std::vector<std::uint32_t> reached_from_;  // the row
    std::vector<std::pair<std::uint32_t, std::int64_t>> visited_rows_;
    std::vector<std::uint32_t> done_cols_;
    std::vector<QueueEntry> queue_;
    std::int64_t sink_distance_ = 0;
    std::uint32_t sink_ = npos;
};

}  // namespace popflow::ot
