// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// A plan with its duals, these in matrix units.
struct LineTransport {
    std::vector<Flow> plan;  ///< by rows
    std::vector<double> f;
    std::vector<double> g;
};

/// Optimal transport of points on the line for a convex cost of their difference: both sides in order, mass
/// from the left on. The duals are tight along the staircase that the plan makes.
///
/// Source: Hoffman, "On simple linear programming problems", Proc. Symp. Pure Math. 7, 1963: such costs have
///         the Monge property, for which the north-west corner plan is optimal.
/// @param cost  Cost::on_line()
/// @param supply, demand  > 0 and of the same sum
LineTransport line_transport(const Cost& cost, std::span<const std::int64_t> supply,
                             std::span<const std::int64_t> demand);

}  // namespace popflow::ot
