// SPDX-License-Identifier: MIT
#include "ot/exact/primal_dual.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/cancellation.hpp"
#include "core/error.hpp"

namespace popflow::ot {

namespace {

// Number of phases after which their progress is checked. They are slow if they complete less than one row
// per phase. A phase then takes longer than the pivots of the network simplex that complete a row.
constexpr std::size_t checked_phases = 4;

}  // namespace

PrimalDual::PrimalDual(std::span<const std::int64_t> supply, std::span<const std::int64_t> demand,
                       std::vector<std::int64_t> g)
    : supply_(supply.begin(), supply.end()),
      demand_(demand.begin(), demand.end()),
      f_(supply.size()),
      g_(std::move(g)),
      shares_(demand.size()),
      row_stamp_(supply.size()),
      col_stamp_(demand.size()),
      row_distance_(supply.size()),
      col_distance_(demand.size()),
      row_from_(supply.size()),
      col_from_(demand.size()) {}

bool PrimalDual::solve(const ArcList& arcs) {
    make_tight(arcs);
    std::size_t unfinished = unfinished_rows();
    std::size_t checked = unfinished + checked_phases;
    for (std::size_t phase = 1; unfinished > 0; ++phase) {
        core::check_cancelled();
        search(arcs);
        raise_duals();
        for (const std::uint32_t sink : sinks_) move_mass(sink);
        unfinished = unfinished_rows();
        if (phase % checked_phases != 0) continue;
        if (unfinished > 0 && unfinished + checked_phases > checked) return false;
        checked = unfinished;
    }
    return true;
}

std::size_t PrimalDual::unfinished_rows() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(supply_left_, [](auto units) { return units > 0; }));
}

void PrimalDual::add(std::uint32_t col, std::uint32_t row, std::int64_t units) {
    const auto at = std::ranges::find(shares_[col], row, &Share::row);
    if (at != shares_[col].end()) {
        at->units += units;
    } else {
        shares_[col].push_back({row, units});
    }
}

void PrimalDual::remove(std::uint32_t col, std::uint32_t row, std::int64_t units) {
    const auto at = std::ranges::find(shares_[col], row, &Share::row);
    at->units -= units;
    if (at->units > 0) return;
    *at = shares_[col].back();
    shares_[col].pop_back();
}

std::int64_t PrimalDual::units_of(std::uint32_t col, std::uint32_t row) const {
    const auto at = std::ranges::find(shares_[col], row, &Share::row);
    return at == shares_[col].end() ? 0 : at->units;
}

// Makes the duals feasible. Keeps mass on tight arcs only, then moves as much as fits along tight arcs.
void PrimalDual::make_tight(const ArcList& arcs) {
    const std::vector<std::vector<Share>> old_shares = std::exchange(shares_, {});
    shares_.resize(g_.size());
    supply_left_ = supply_;
    demand_left_ = demand_;
    const auto move = [&](std::uint32_t i, std::uint32_t j, std::int64_t units) {
        if (units == 0) return;
        supply_left_[i] -= units;
        demand_left_[j] -= units;
        add(j, i, units);
    };
    f_ = row_duals(arcs, g_);
    const auto is_tight = [&](std::uint32_t i, std::size_t e) {
        return arcs.cost[e] - g_[arcs.col[e]] == f_[i];
    };
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::vector<Share>& shares = old_shares[arcs.col[e]];
            const auto at = std::ranges::find(shares, i, &Share::row);
            if (at != shares.end() && is_tight(i, e)) move(i, arcs.col[e], at->units);
        }
    }
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            if (is_tight(i, e)) move(i, arcs.col[e], std::min(supply_left_[i], demand_left_[arcs.col[e]]));
        }
    }
}

void PrimalDual::scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance, std::uint32_t from) {
    row_stamp_[row] = search_;
    row_distance_[row] = distance;
    row_from_[row] = from;
    visited_rows_.push_back(row);
    const std::int64_t base = distance - f_[row];
    for (std::size_t e = arcs.first[row]; e < arcs.first[row + 1]; ++e) {
        const std::uint32_t j = arcs.col[e];
        const std::int64_t new_distance = base + arcs.cost[e] - g_[j];
        if (col_stamp_[j] == search_ && new_distance >= col_distance_[j]) continue;
        col_stamp_[j] = search_;
        col_distance_[j] = new_distance;
        col_from_[j] = row;
        queue_.push_back({new_distance, j});
        std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
    }
}

// Searches from all rows with remaining supply until the columns that were found can take all of it.
void PrimalDual::search(const ArcList& arcs) {
    ++search_;
    visited_rows_.clear();
    settled_cols_.clear();
    sinks_.clear();
    queue_.clear();
    std::int64_t missing = 0;
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        if (supply_left_[i] == 0) continue;
        missing += supply_left_[i];
        scan(arcs, i, 0, npos);
    }
    while (!queue_.empty() && missing > 0) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const auto [distance, j] = queue_.back();
        queue_.pop_back();
        if (distance != col_distance_[j]) continue;  // stale entry: a shorter path was found
        distance_ = distance;
        settled_cols_.push_back(j);
        if (demand_left_[j] > 0) {
            sinks_.push_back(j);
            missing -= demand_left_[j];
        }
        for (const Share& share : shares_[j]) {
            if (row_stamp_[share.row] != search_) scan(arcs, share.row, distance, j);
        }
    }
    if (sinks_.empty()) throw core::NumericalError("ot.exact", "the arcs cannot carry all mass");
}

void PrimalDual::raise_duals() {
    for (const std::uint32_t i : visited_rows_) f_[i] += distance_ - row_distance_[i];
    for (const std::uint32_t j : settled_cols_) g_[j] -= distance_ - col_distance_[j];
}

// Moves as much mass as fits along the path to a column. Earlier paths may have used up what it can carry.
void PrimalDual::move_mass(std::uint32_t sink) {
    std::int64_t units = demand_left_[sink];
    std::uint32_t row = col_from_[sink];
    for (; units > 0 && row_from_[row] != npos; row = col_from_[row_from_[row]])
        units = std::min(units, units_of(row_from_[row], row));
    if (units == 0) return;
    units = std::min(units, supply_left_[row]);
    if (units == 0) return;
    supply_left_[row] -= units;
    demand_left_[sink] -= units;
    for (std::uint32_t j = sink;;) {
        const std::uint32_t i = col_from_[j];
        add(j, i, units);
        if (row_from_[i] == npos) break;
        j = row_from_[i];
        remove(j, i, units);
    }
}

std::vector<Flow> PrimalDual::plan() const {
    std::vector<Flow> plan;
    for (std::uint32_t j = 0; j < shares_.size(); ++j) {
        for (const Share& share : shares_[j]) plan.push_back({share.row, j, share.units});
    }
    std::ranges::sort(plan, [](const Flow& a, const Flow& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    return plan;
}

}  // namespace popflow::ot
