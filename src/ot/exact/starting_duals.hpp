// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Duals near the optimal ones, for exact() to order the arcs by: entropic ones, with an epsilon so small
/// that each row's mass is spread on few columns.
///
/// Epsilon starts at 2 % of the mean cost and is halved until that is so. Points do this in few clusters
/// first, then in more, then each for itself, so that what is far apart settles where a sweep costs next to
/// nothing; large problems with other costs do it on a sample, drawn evenly along the rows and columns by
/// weight. The result decides how fast exact() is, not what it finds.
///
/// Shapes:  a [n], b [m], empty for uniform; `start` as in sinkhorn().
/// Units:   those of the fp32 matrix (no unit, no offset).
/// Source:  a hierarchy of clusters: Schmitzer, "Stabilized sparse scaling algorithms for entropy regularized
///          transport problems", SIAM J. Sci. Comput. 41, 2019; deviation: all arcs at every level.
Potentials starting_duals(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const Potentials* start);

}  // namespace popflow::ot
