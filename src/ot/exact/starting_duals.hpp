// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Computes dual potentials close to the optimal ones, by which solve_exact() selects candidate arcs.
///
/// They are entropic duals with an epsilon so small that the mass of each row is spread over few columns.
/// Epsilon scaling: epsilon starts at 2 % of the mean cost and is halved until that is the case.
/// - With `start`: a few sweeps from these duals.
/// - Euclidean costs: solves for a few clusters of points, then for more, then for the points. Pairs that are
///   far apart converge on the coarse levels, where a sweep costs almost nothing.
/// - Other costs, large problems: solves for a sample first, drawn systematically along the rows and columns
///   by weight.
/// - Small problems: solves directly.
///
/// The duals affect the time that solve_exact() takes, not the optimum that it finds.
///
/// Shapes:  a [n], b [m], empty for uniform. `start` may be null, and only its g is used.
/// Units:   the result is in units of the fp32 matrix, without unit and offset. `start` is in units of the
///          cost.
/// Source:  hierarchy of clusters: Schmitzer, "Stabilized sparse scaling algorithms for entropy regularized
///          transport problems", SIAM J. Sci. Comput. 41, 2019. Deviation: all arcs at every level.
Potentials starting_duals(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const Potentials* start);

}  // namespace popflow::ot
