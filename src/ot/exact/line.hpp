// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Transport plan with its dual potentials, in matrix units.
struct LineTransport {
    std::vector<Flow> plan;  ///< sorted by rows
    std::vector<double> f;
    std::vector<double> g;
};

/// Computes the optimal plan between points with one marker, for a convex cost of their difference.
///
/// Sorts both sides and applies the north-west corner rule. The duals are tight along its staircase.
///
/// Source:  Hoffman, "On simple linear programming problems", Proc. Symp. Pure Math. 7, 1963: such costs have
///          the Monge property, for which the north-west corner plan is optimal.
/// @param cost  must satisfy Cost::is_on_line()
/// @param supply, demand  > 0, with equal sums
LineTransport line_transport(const Cost& cost, std::span<const std::int64_t> supply,
                             std::span<const std::int64_t> demand);

}  // namespace popflow::ot
