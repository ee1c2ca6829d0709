// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"
#include "ot/exact/candidates.hpp"

namespace popflow::ot {

/// Incomplete transport plan in integer units, with its dual potentials.
struct PartialPlan {
    /// Mass that a column receives from a row.
    struct Share {
        std::uint32_t row;
        std::int64_t units;
    };

    /// Starts with an empty plan.
    ///
    /// @param candidates      must outlive this object
    /// @param supply, demand  >= 0, with equal sums
    /// @param g               duals of the columns that the candidates were chosen with
    PartialPlan(Candidates& candidates, std::span<const std::int64_t> supply,
                std::span<const std::int64_t> demand, std::vector<std::int64_t> g);

    /// Adds mass to an arc. Does not change supply and demand.
    void add(std::uint32_t col, std::uint32_t row, std::int64_t units);
    /// Removes all mass from the plan, and restores supply and demand.
    void clear();
    /// Makes the duals feasible and restores complementary slackness.
    ///
    /// Sets f_i to a lower bound on min_j c_ij - g_j over all arcs. Keeps mass only on tight arcs, then moves
    /// as much as fits along tight arcs.
    void make_tight();
    /// Lowers the dual of a column by `by` >= 0.
    void lower(std::uint32_t col, std::int64_t by);
    /// Returns the plan, sorted by rows.
    std::vector<Flow> flows() const;

    Candidates& candidates;
    std::vector<std::int64_t> supply;        ///< remaining supply of each row
    std::vector<std::int64_t> demand;        ///< remaining demand of each column
    std::vector<std::int64_t> f;             ///< duals of the rows
    std::vector<std::int64_t> g;             ///< duals of the columns
    std::vector<std::vector<Share>> shares;  ///< mass of each column, by row
};

}  // namespace popflow::ot
