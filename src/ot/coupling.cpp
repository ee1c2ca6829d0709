// SPDX-License-Identifier: MIT
#include "ot/coupling.hpp"

#include "ot/exact.hpp"

namespace popflow::ot {

using linalg::ConstMatrixView;

std::vector<std::uint32_t> optimal_partners(ConstMatrixView<float> x0, ConstMatrixView<float> x1) {
    core::check_shape("ot.optimal_partners.x1", x1.rows, x1.cols, x0.rows, x0.cols);
    const TransportPlan transport = solve_exact(Cost(CostKind::squared_euclidean, x0, x1));
    std::vector<std::uint32_t> partner(x0.rows);
    for (const PlanEntry& entry : transport.plan) partner[entry.i] = entry.j;
    return partner;
}

}  // namespace popflow::ot
