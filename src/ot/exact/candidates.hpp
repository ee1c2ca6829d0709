// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Returns the `per_row` arcs with the smallest c_ij - g_j of each row, or all of them if there are fewer.
///
/// Compares in fp32, so that the order of almost equal arcs is undefined. Their costs are exact. Uses all
/// threads.
ArcList candidate_arcs(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> g,
                       std::size_t per_row);

/// Returns the n + m - 1 arcs at most of the north-west corner plan, which can carry all mass.
///
/// Shapes:  supply [n], demand [m], with equal sums.
std::vector<Arc> feasible_arcs(std::span<const std::int64_t> supply, std::span<const std::int64_t> demand);

}  // namespace popflow::ot
