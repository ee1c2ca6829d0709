// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ot/exact/partial_plan.hpp"

namespace popflow::ot {

/// Exact transport of integer supplies to integer demands by successive shortest paths, in integers.
///
/// Keeps duals with f_i + g_j <= c_ij on all n m arcs, and mass only where they are equal. A row with supply
/// left searches the shortest path to a column with demand left (Dijkstra on reduced costs, stopped at the
/// first; back from a column along arcs that carry mass), the duals along the search rise, and the mass on
/// the path changes over. With good duals to begin with most rows find their columns at once. A search that
/// comes to the bound of what a row has listed lists more of it, so that it finds what it would find on all
/// arcs.
///
/// Source: Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
///         assignment problems", Computing 38, 1987; deviations: the duals come from outside, in place of
///         their reductions; rows and columns have any number of units; lists of arcs on demand.
class ShortestPaths {
  public:
    /// @param plan  tight, as PartialPlan::make_tight() leaves it; must outlive this
    explicit ShortestPaths(PartialPlan& plan);

    /// Completes the plan.
    ///
    /// @param effort  arcs that may be looked at
    /// @return false if that was not enough
    bool solve(std::size_t effort);

  private:
    static constexpr std::uint32_t npos = 0xffffffff;

    // A column, or a row (numbered after the columns) whose list may have to grow.
    struct QueueEntry {
        std::int64_t distance;
        std::uint32_t id;
        bool operator>(const QueueEntry& other) const {
            return distance != other.distance ? distance > other.distance : id > other.id;
        }
    };

    bool search(std::uint32_t source);
    void visit(std::uint32_t row, std::int64_t distance, std::uint32_t col, std::uint32_t share);
    void scan(std::uint32_t row);
    void scan_on(std::uint32_t row);
    void spend(std::size_t arcs);
    void push(std::int64_t distance, std::uint32_t id);
    void raise_duals();
    void augment(std::uint32_t source);

    PartialPlan& plan_;
    std::size_t effort_ = 0;  // that is left

    // The search: labels are valid where the stamp is the search's number.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> stamp_;         // of the columns
    std::vector<std::int64_t> distance_;       // of the columns
    std::vector<std::uint32_t> reached_from_;  // the row, of a column
    std::vector<std::uint64_t> row_stamp_;
    std::vector<std::int64_t> row_distance_;
    std::vector<std::uint32_t> row_col_;      // the column that a row was reached from
    std::vector<std::uint32_t> row_share_;    // and its place among the column's shares
    std::vector<std::uint32_t> row_scanned_;  // how many of its arcs
    std::vector<std::uint64_t> row_listed_;   // the search that listed its arcs
    std::vector<std::uint32_t> visited_rows_;
    std::vector<std::uint32_t> done_cols_;
    std::vector<QueueEntry> queue_;
    std::int64_t sink_distance_ = 0;
    std::uint32_t sink_ = npos;
};

}  // namespace popflow::ot
