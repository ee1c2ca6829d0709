// SPDX-License-Identifier: MIT
#pragma once

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

struct TransportPlan;

/// Optimality certificate of a transport plan and its dual potentials, in the units of the cost.
///
/// With total mass 1 no plan with the same marginals is cheaper by more than gap + violation.
struct Certificate {
    /// Dual infeasibility: the largest f_i + g_j - c_ij over all n m arcs, or 0 if none is positive.
    double violation = 0;
    /// Duality gap: |sum of mass (c_ij - f_i - g_j) over the plan|, the primal value minus the dual value.
    /// Zero means complementary slackness.
    double gap = 0;
};

/// Measures in double how far a plan and the dual potentials that came with it are from optimal.
///
/// An arc that the fp32 matrix and its error bound prove feasible is skipped. The reduced costs of the other
/// arcs are computed from the inputs.
Certificate certify(const Cost& cost, const TransportPlan& transport);

/// Replaces f by the c-transform of g, which makes the duals feasible for any g: f_i = min_j c_ij - g_j, in
/// double.
void apply_c_transform(const Cost& cost, Potentials& duals);

}  // namespace popflow::ot
