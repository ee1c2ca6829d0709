// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Solves transport of integer supplies to integer demands on a sparse set of arcs by the primal-dual method,
/// in integers.
///
/// Keeps the duals feasible, f_i + g_j <= c_ij on every arc, and mass only on tight arcs. A phase searches
/// the shortest paths from all rows with remaining supply at once, by Dijkstra on reduced costs, until it has
/// found the columns with remaining demand. The duals along the search rise, so that all these paths are
/// tight. Mass then moves along each path. With good starting duals the first phases place almost all mass.
/// The last rows may take a phase each, where the network simplex is faster: solve() then stops early.
///
/// Source:  Ahuja, Magnanti and Orlin, "Network flows", 1993, section 9.8. Deviation: the mass of a phase
///          moves along the paths of the search, in place of a maximum flow.
class PrimalDual {
  public:
    /// @param supply, demand  >= 0, with equal sums
    /// @param g  starting duals of the columns, any values
    PrimalDual(std::span<const std::int64_t> supply, std::span<const std::int64_t> demand,
               std::vector<std::int64_t> g);

    /// Makes the plan complete and optimal on these arcs, unless the phases get slow.
    ///
    /// @param arcs  must contain every arc of the previous calls, and arcs that can carry all mass
    /// @return whether the plan is complete. Otherwise the duals are feasible and some mass is not placed
    /// @throws core::NumericalError if the arcs cannot carry all mass
    bool solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// Returns the plan, sorted by rows.
    std::vector<Flow> plan() const;

  private:
    static constexpr std::uint32_t npos = 0xffffffff;

    // Mass that a column receives from a row.
    struct Share {
        std::uint32_t row;
        std::int64_t units;
    };
    struct QueueEntry {
        std::int64_t distance;
        std::uint32_t col;
        bool operator>(const QueueEntry& other) const {
            return distance != other.distance ? distance > other.distance : col > other.col;
        }
    };

    void make_tight(const ArcList& arcs);
    void search(const ArcList& arcs);
    void scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance, std::uint32_t from);
    void raise_duals();
    void move_mass(std::uint32_t sink);
    void add(std::uint32_t col, std::uint32_t row, std::int64_t units);
    void remove(std::uint32_t col, std::uint32_t row, std::int64_t units);
    std::int64_t units_of(std::uint32_t col, std::uint32_t row) const;
    std::size_t unfinished_rows() const;

    std::vector<std::int64_t> supply_;
    std::vector<std::int64_t> demand_;
    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::vector<std::vector<Share>> shares_;  // the shares of each column
    std::vector<std::int64_t> supply_left_;
    std::vector<std::int64_t> demand_left_;

    // State of a search. The labels of a row or column are valid if its stamp equals search_.
    std::uint64_t search_ = 0;
    std::vector<std::uint64_t> row_stamp_;
    std::vector<std::uint64_t> col_stamp_;
    std::vector<std::int64_t> row_distance_;
    std::vector<std::int64_t> col_distance_;
    std::vector<std::uint32_t> row_from_;  // column that each row was reached from, npos for a source
    std::vector<std::uint32_t> col_from_;  // row that each column was reached from
    std::vector<std::uint32_t> visited_rows_;
    std::vector<std::uint32_t> settled_cols_;
    std::vector<std::uint32_t> sinks_;  // settled columns with remaining demand
    std::vector<QueueEntry> queue_;
    std::int64_t distance_ = 0;  // distance of the last settled column
};

}  // namespace popflow::ot
