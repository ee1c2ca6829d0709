// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Solves the assignment problem on a sparse set of arcs between n rows and n columns, in integers.
///
/// Keeps the duals feasible, f_i + g_j <= c_ij on every arc, and matches only along tight arcs.
/// 1. Row reduction: an unmatched row takes its best column, if necessary from another row. The dual of the
///    column falls until the second best column of the row is equally good.
/// 2. Shortest augmenting paths: a row that is still unmatched searches the shortest path to a free column,
///    by Dijkstra on reduced costs, stopped at the first. The duals along the search rise, and the matches on
///    the path change.
///
/// With good starting duals most rows are matched without a search. The caller may add arcs between calls.
/// Rows whose match is no longer tight are then matched again.
///
/// Source:  Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
///          assignment problems", Computing 38, 1987. Deviation: the caller provides the duals, instead of
///          their column reduction.
class Assignment {
  public:
    /// @param g  starting duals of the columns, any values
    explicit Assignment(std::vector<std::int64_t> g);

    /// Makes the assignment optimal on these arcs.
    ///
    /// @param arcs  must contain every arc of the previous calls
    /// @throws core::NumericalError if the arcs contain no perfect matching
    void solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// Returns the assignment, sorted by rows, as flows of one unit.
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
    void match_free_columns(const ArcList& arcs);
    void reduce_rows(const ArcList& arcs);
    void augment(const ArcList& arcs, std::uint32_t source);
    void scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance);
    void match(std::uint32_t row, std::uint32_t col);

    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::vector<std::uint32_t> matched_col_;  // [n], npos if the row is unmatched
    std::vector<std::uint32_t> matched_row_;  // [n], npos if the column is free

    std::vector<std::uint32_t> unmatched_rows_;

    // State of a shortest path search. The labels of a column are valid if its stamp equals search_.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> stamp_;
    std::vector<std::int64_t> distance_;
    std::vector<std::uint32_t> reached_from_;  // previous row on the path
    std::vector<std::pair<std::uint32_t, std::int64_t>> visited_rows_;
    std::vector<std::uint32_t> settled_cols_;
    std::vector<QueueEntry> queue_;
    std::int64_t sink_distance_ = 0;
    std::uint32_t sink_ = npos;
};

}  // namespace popflow::ot
