// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ot/arcs.hpp"

namespace popflow::ot {

/// Exact transport on a sparse set of arcs by successive shortest paths, in integers.
///
/// Keeps duals f, g with f_i + g_j <= c_ij on every arc and mass only on arcs where they are equal. Every row
/// with supply left searches the shortest path to a column with demand left (Dijkstra on reduced costs,
/// stopped at the first such column), raises the duals along the search and pushes what the path can carry.
/// When no row has supply left the plan is optimal on the arcs. Arcs may then be added: only rows whose duals
/// they break start again.
///
/// Source: Jonker and Volgenant, "A shortest augmenting path algorithm", Computing 38, 1987; deviation: any
/// integer
///         supplies and demands, sparse arcs, a heap.
class AugmentingPaths {
  public:
    /// Mass on an arc, in units of supply.
    struct Flow {
        std::uint32_t i;
        std::uint32_t j;
        std::int64_t units;
    };

    /// Supplies and demands, >= 0, have the same sum; g are any duals of the columns.
    AugmentingPaths(std::vector<std::int64_t> supply, std::vector<std::int64_t> demand,
                    std::vector<std::int64_t> g);

    /// Makes the plan optimal on these arcs, which hold every arc of the calls before.
    ///
    /// @throws core::NumericalError if the arcs cannot carry the supply, or the search does not come to an
    /// end
    void solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// The plan, by rows.
    std::vector<Flow> plan() const;

  private:
    // A row's mass on a column; those of one column form a list.
    struct Holding {
        std::uint32_t row;
        std::uint32_t next;
        std::int64_t units;
        std::int64_t cost;
    };
    struct QueueEntry {
        std::int64_t distance;
        std::uint32_t col;
        bool operator>(const QueueEntry& other) const {
            return std::pair(distance, col) > std::pair(other.distance, other.col);
        }
    };
    static constexpr std::uint32_t none = 0xffffffff;

    void restore_feasibility(const ArcList& arcs);
    void take_free_columns(const ArcList& arcs);
    void reduce_rows(const ArcList& arcs);
    void augment(const ArcList& arcs, std::uint32_t source);
    void scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance);
    void raise_duals(std::int64_t distance);
    void push(std::uint32_t source, std::uint32_t sink);
    void add_units(std::uint32_t row, std::uint32_t col, std::int64_t units, std::int64_t cost);
    void remove_units(std::uint32_t row, std::uint32_t col, std::int64_t units);

    std::vector<std::int64_t> supply_;  // what is left
    std::vector<std::int64_t> demand_;
    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::vector<Holding> holdings_;
    std::uint32_t unused_ = none;      // list of holdings to use again
    std::vector<std::uint32_t> held_;  // [m], first holding of each column

    // The search: labels of columns and visited rows, valid where the stamp is the search's number.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> col_stamp_;
    std::vector<std::uint64_t> row_stamp_;
    std::vector<std::int64_t> distance_;   // [m]
    std::vector<std::uint32_t> col_from_;  // [m], the row that reached it
    std::vector<std::int64_t> cost_from_;  // [m], the cost of that arc
    std::vector<std::uint32_t> row_from_;  // [n], the column whose holding reached it
    std::vector<std::pair<std::uint32_t, std::int64_t>> visited_rows_;
    std::vector<std::uint32_t> done_cols_;
    std::vector<QueueEntry> queue_;
    std::int64_t sink_distance_ = 0;
    std::uint32_t sink_ = none;
};

}  // namespace popflow::ot
