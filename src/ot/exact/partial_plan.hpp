// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"
#include "ot/exact/candidates.hpp"

namespace popflow::ot {

/// A plan in the making, in whole units, with the duals that lead it.
struct PartialPlan {
    /// Mass that a column has from a row.
    struct Share {
        std::uint32_t row;
        std::int64_t units;
    };

    /// No mass moved yet.
    ///
    /// @param supply, demand  >= 0 and of the same sum
    /// @param g  duals of the columns, those that the candidates were chosen by
    PartialPlan(Candidates& candidates, std::span<const std::int64_t> supply,
                std::span<const std::int64_t> demand, std::vector<std::int64_t> g);

    void add(std::uint32_t col, std::uint32_t row, std::int64_t units);
    /// Takes back all mass.
    void clear();
    /// f_i = min_j c_ij - g_j over all arcs, or less; mass stays only where the duals are tight, and moves
    /// along arcs that are, as far as it fits.
    void make_tight();
    /// Lowers the dual of a column.
    void lower(std::uint32_t col, std::int64_t by);
    /// The plan, by rows.
    std::vector<Flow> flows() const;

    Candidates& candidates;
    std::vector<std::int64_t> supply;  ///< what is left
    std::vector<std::int64_t> demand;
    std::vector<std::int64_t> f;
    std::vector<std::int64_t> g;
    std::vector<std::vector<Share>> shares;  ///< of the columns
};

}  // namespace popflow::ot
