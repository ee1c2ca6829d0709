// SPDX-License-Identifier: MIT
#pragma once

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

struct TransportPlan;

/// What a plan and duals prove about each other, in the units of the cost.
struct Certificate {
    /// The largest f_i + g_j - c_ij of all n m arcs, or 0: how far the duals are from feasible.
    double violation = 0;
    /// |sum of mass (c_ij - f_i - g_j) over the plan|: value less dual value. With total mass 1 no plan of
    /// the same marginals is better by more than the gap and the violation.
    double gap = 0;
};

/// Measures the optimality of a plan over the duals that came with it, in double.
///
/// The fp32 matrix clears the arcs that its error bound clears, the others are computed from the inputs.
Certificate certify(const Cost& cost, const TransportPlan& transport);

/// Makes duals feasible, whatever g is: f_i = min_j c_ij - g_j, in double.
void fit_rows(const Cost& cost, Potentials& duals);

}  // namespace popflow::ot
