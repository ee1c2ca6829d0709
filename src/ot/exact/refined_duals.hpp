// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Improves column duals by Sinkhorn's iteration on a sparse set of arcs, with a smaller epsilon than one on
/// all arcs could afford.
///
/// The first epsilon is a third of the mean difference between the ninth smallest and the smallest
/// c_ij - g_j of a row. It is halved twice. Updates of g are over-relaxed. The duals affect the time that an
/// exact solver takes, not the optimum that it finds. Runs on the calling thread.
///
/// Shapes:  supply [n], demand [m] > 0, g [m]. Every row has an arc.
/// Returns: g [m], in units of the costs of the arcs.
std::vector<std::int64_t> refined_duals(const ArcList& arcs, std::span<const std::int64_t> supply,
                                        std::span<const std::int64_t> demand,
                                        std::span<const std::int64_t> g);

}  // namespace popflow::ot
