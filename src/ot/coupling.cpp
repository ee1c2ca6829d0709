// SPDX-License-Identifier: MIT
#include "ot/coupling.hpp"

#include <algorithm>

#include "ot/exact.hpp"

namespace popflow::ot {

using linalg::ConstMatrixView;

std::vector<std::uint32_t> random_partners(std::size_t n, core::Stream& stream) {
    return stream.permutation(n);
}

std::vector<std::uint32_t> optimal_partners(ConstMatrixView<float> x0, ConstMatrixView<float> x1) {
    core::check_shape("ot.optimal_partners.x1", x1.rows, x1.cols, x0.rows, x0.cols);
    const Transport transport = exact(Cost(CostKind::squared_euclidean, x0, x1));
    std::vector<std::uint32_t> partner(x0.rows);
    for (const PlanEntry& entry : transport.plan) partner[entry.i] = entry.j;
    return partner;
}

std::vector<CellPair> sample_optimal_pairs(ConstMatrixView<float> x0, ConstMatrixView<float> x1,
                                           std::size_t count, core::Stream& stream) {
    const Transport transport = exact(Cost(CostKind::squared_euclidean, x0, x1));
    std::vector<double> cumulative;
    double total = 0;
    for (const PlanEntry& entry : transport.plan) cumulative.push_back(total += entry.mass);
    std::vector<CellPair> pairs(count);
    for (CellPair& pair : pairs) {
        const auto at = std::upper_bound(cumulative.begin(), cumulative.end() - 1, stream.uniform() * total);
        const PlanEntry& entry = transport.plan[static_cast<std::size_t>(at - cumulative.begin())];
        pair = {entry.i, entry.j};
    }
    return pairs;
}

}  // namespace popflow::ot
