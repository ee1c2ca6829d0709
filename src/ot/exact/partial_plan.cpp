// SPDX-License-Identifier: MIT
#include "ot/exact/partial_plan.hpp"

#include <algorithm>

namespace popflow::ot {

PartialPlan::PartialPlan(Candidates& chosen, std::span<const std::int64_t> supplies,
                         std::span<const std::int64_t> demands, std::vector<std::int64_t> column_duals)
    : candidates(chosen),
      supply(supplies.begin(), supplies.end()),
      demand(demands.begin(), demands.end()),
      f(supplies.size()),
      g(std::move(column_duals)),
      shares(demands.size()) {}

void PartialPlan::add(std::uint32_t col, std::uint32_t row, std::int64_t units) {
    const auto at = std::ranges::find(shares[col], row, &Share::row);
    if (at == shares[col].end()) {
        shares[col].push_back({row, units});
    } else {
        at->units += units;
    }
}

void PartialPlan::lower(std::uint32_t col, std::int64_t by) {
    g[col] -= by;
    candidates.lower(col, g[col]);
}

void PartialPlan::clear() {
    for (std::size_t j = 0; j < shares.size(); ++j) {
        for (const Share& share : shares[j]) {
            supply[share.row] += share.units;
            demand[j] += share.units;
        }
        shares[j].clear();
    }
}

void PartialPlan::make_tight() {
    std::vector<std::vector<Share>> old_shares(shares.size());
    for (std::size_t j = 0; j < shares.size(); ++j) old_shares[j] = shares[j];
    clear();
    const auto move = [&](std::uint32_t i, std::uint32_t j, std::int64_t units) {
        supply[i] -= units;
        demand[j] -= units;
        if (units > 0) add(j, i, units);
    };
    for (std::uint32_t i = 0; i < f.size(); ++i) {
        f[i] = candidates.bound(i);
        for (const auto& arc : candidates.row(i)) f[i] = std::min(f[i], arc.cost - g[arc.col]);
    }
    const auto tight = [&](std::uint32_t i, const Candidates::Entry& arc) {
        return arc.cost - g[arc.col] == f[i];
    };
    for (std::uint32_t i = 0; i < f.size(); ++i) {
        for (const auto& arc : candidates.row(i)) {
            if (arc.least > f[i]) break;
            if (!tight(i, arc)) continue;
            const auto at = std::ranges::find(old_shares[arc.col], i, &Share::row);
            if (at != old_shares[arc.col].end()) move(i, arc.col, at->units);
        }
    }
    for (std::uint32_t i = 0; i < f.size(); ++i) {
        for (const auto& arc : candidates.row(i)) {
            if (arc.least > f[i]) break;
            if (tight(i, arc)) move(i, arc.col, std::min(supply[i], demand[arc.col]));
        }
    }
}

std::vector<Flow> PartialPlan::flows() const {
    std::vector<Flow> plan;
    for (std::uint32_t j = 0; j < shares.size(); ++j) {
        for (const Share& share : shares[j]) plan.push_back({share.row, j, share.units});
    }
    std::ranges::sort(plan, [](const Flow& a, const Flow& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    return plan;
}

}  // namespace popflow::ot
