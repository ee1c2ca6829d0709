// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ot/exact/partial_plan.hpp"

namespace popflow::ot {

/// Solves transport of integer supplies to integer demands exactly by successive shortest paths, in integers.
///
/// Keeps the duals feasible, f_i + g_j <= c_ij on all n m arcs, and mass only on tight arcs. A row with
/// remaining supply searches the shortest path to a column with remaining demand: Dijkstra on reduced costs,
/// stopped at the first such column. Paths lead back from a column along arcs that carry mass. The duals
/// along the search rise, and mass moves along the path. With good starting duals most rows find their
/// columns at once. A search that reaches the bound of the listed arcs of a row lists more of them. It
/// therefore finds the same path as on all arcs.
///
/// Source:  Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
///          assignment problems", Computing 38, 1987. Deviations: the caller provides the duals, instead of
///          their reductions. Rows and columns have any number of units. Arcs are listed on demand.
class ShortestPaths {
  public:
    /// @param plan  must be tight, see PartialPlan::make_tight(), and outlive this object
    explicit ShortestPaths(PartialPlan& plan);

    /// Completes the plan.
    ///
    /// @param effort  number of arcs that the searches may scan
    /// @return false if the effort was used up. The duals are then feasible and the plan is incomplete.
    bool solve(std::size_t effort);

  private:
    static constexpr std::uint32_t npos = 0xffffffff;

    // Entry of a column, or of a row whose arcs are not all scanned. Rows are numbered after the columns.
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
    void scan_further(std::uint32_t row);
    void spend_effort(std::size_t arcs);
    void push(std::int64_t distance, std::uint32_t id);
    void raise_duals();
    void augment(std::uint32_t source);

    PartialPlan& plan_;
    std::size_t effort_ = 0;  // number of arcs that may still be scanned

    // State of a shortest path search. Labels of a column or row are valid if its stamp equals search_.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> stamp_;         // stamp of each column
    std::vector<std::int64_t> distance_;       // distance of each column
    std::vector<std::uint32_t> reached_from_;  // row that each column was reached from
    std::vector<std::uint64_t> row_stamp_;
    std::vector<std::int64_t> row_distance_;
    std::vector<std::uint32_t> row_col_;      // column that each row was reached from
    std::vector<std::uint32_t> row_share_;    // index of the row in the shares of that column
    std::vector<std::uint32_t> row_scanned_;  // number of scanned arcs of each row
    std::vector<std::uint64_t> row_listed_;   // number of the search that listed the arcs of each row
    std::vector<std::uint32_t> visited_rows_;
    std::vector<std::uint32_t> settled_cols_;
    std::vector<QueueEntry> queue_;
    std::int64_t sink_distance_ = 0;
    std::uint32_t sink_ = npos;
};

}  // namespace popflow::ot
