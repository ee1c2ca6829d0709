// SPDX-License-Identifier: MIT
#include "ot/exact/line.hpp"

#include <algorithm>
#include <numeric>

namespace popflow::ot {

LineTransport line_transport(const Cost& cost, std::span<const std::int64_t> supply,
                             std::span<const std::int64_t> demand) {
    const std::size_t n = supply.size();
    const std::size_t m = demand.size();
    std::vector<std::uint32_t> rows(n);
    std::vector<std::uint32_t> cols(m);
    std::iota(rows.begin(), rows.end(), 0U);
    std::iota(cols.begin(), cols.end(), 0U);
    std::ranges::stable_sort(rows, {}, [&](std::uint32_t i) { return cost.x()(i, 0); });
    std::ranges::stable_sort(cols, {}, [&](std::uint32_t j) { return cost.y()(j, 0); });
    LineTransport result{{}, std::vector<double>(n), std::vector<double>(m)};
    std::size_t k = 0;
    std::size_t l = 0;
    std::int64_t from = supply[rows[0]];
    std::int64_t to = demand[cols[0]];
    result.g[cols[0]] = 0;
    result.f[rows[0]] = cost.exact(rows[0], cols[0]);
    for (;;) {
        const std::uint32_t i = rows[k];
        const std::uint32_t j = cols[l];
        const std::int64_t units = std::min(from, to);
        if (units > 0) result.plan.push_back({i, j, units});
        from -= units;
        to -= units;
        // If supply and demand are exhausted together, a step without mass keeps the staircase connected.
        if (from == 0 && k + 1 < n) {
            from = supply[rows[++k]];
            result.f[rows[k]] = cost.exact(rows[k], j) - result.g[j];
        } else if (l + 1 < m) {
            to = demand[cols[++l]];
            result.g[cols[l]] = cost.exact(i, cols[l]) - result.f[i];
        } else {
            break;
        }
    }
    std::ranges::sort(result.plan,
                      [](const Flow& a, const Flow& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    return result;
}

}  // namespace popflow::ot
