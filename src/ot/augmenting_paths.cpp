// SPDX-License-Identifier: MIT
#include "ot/augmenting_paths.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

constexpr std::int64_t unreached = std::numeric_limits<std::int64_t>::max();

}  // namespace

AugmentingPaths::AugmentingPaths(std::vector<std::int64_t> supply, std::vector<std::int64_t> demand,
                                 std::vector<std::int64_t> g)
    : supply_(std::move(supply)),
      demand_(std::move(demand)),
      f_(supply_.size()),
      g_(std::move(g)),
      held_(demand_.size(), none),
      col_stamp_(demand_.size()),
      row_stamp_(supply_.size()),
      distance_(demand_.size()),
      col_from_(demand_.size()),
      cost_from_(demand_.size()),
      row_from_(supply_.size()) {}

void AugmentingPaths::solve(const ArcList& arcs) {
    restore_feasibility(arcs);
    take_free_columns(arcs);
    for (std::uint32_t i = 0; i < supply_.size(); ++i) {
        while (supply_[i] > 0) augment(arcs, i);
    }
}

void AugmentingPaths::restore_feasibility(const ArcList& arcs) {
    for (std::size_t i = 0; i < f_.size(); ++i) {
        f_[i] = unreached;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            f_[i] = std::min(f_[i], arcs.cost[e] - g_[arcs.col[e]]);
        }
    }
    // Mass stays only where the duals are still tight.
    for (std::uint32_t j = 0; j < held_.size(); ++j) {
        for (std::uint32_t h = held_[j]; h != none;) {
            const Holding holding = holdings_[h];
            h = holding.next;
            if (holding.cost - f_[holding.row] - g_[j] > 0) {
                remove_units(holding.row, j, holding.units);
                supply_[holding.row] += holding.units;
                demand_[j] += holding.units;
            }
        }
    }
}

void AugmentingPaths::take_free_columns(const ArcList& arcs) {
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1] && supply_[i] > 0; ++e) {
            const std::uint32_t j = arcs.col[e];
            if (demand_[j] == 0 || arcs.cost[e] - f_[i] - g_[j] != 0) continue;
            const std::int64_t units = std::min(supply_[i], demand_[j]);
            add_units(i, j, units, arcs.cost[e]);
            supply_[i] -= units;
            demand_[j] -= units;
        }
    }
}

void AugmentingPaths::scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance) {
    row_stamp_[row] = search_;
    visited_rows_.emplace_back(row, distance);
    const std::int64_t base = distance - f_[row];
    for (std::size_t e = arcs.first[row]; e < arcs.first[row + 1]; ++e) {
        const std::uint32_t j = arcs.col[e];
        const std::int64_t through = base + arcs.cost[e] - g_[j];
        if (through >= sink_distance_ || (col_stamp_[j] == search_ && through >= distance_[j])) continue;
        col_stamp_[j] = search_;
        distance_[j] = through;
        col_from_[j] = row;
        cost_from_[j] = arcs.cost[e];
        if (demand_[j] > 0) {
            sink_distance_ = through;
            sink_ = j;
        } else {
            queue_.push_back({through, j});
            std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
        }
    }
}

void AugmentingPaths::augment(const ArcList& arcs, std::uint32_t source) {
    ++search_;
    visited_rows_.clear();
    done_cols_.clear();
    queue_.clear();
    sink_distance_ = unreached;
    sink_ = none;
    row_from_[source] = none;
    scan(arcs, source, 0);
    while (!queue_.empty()) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const auto [distance, j] = queue_.back();
        queue_.pop_back();
        if (distance >= sink_distance_) break;
        if (distance != distance_[j]) continue;  // a shorter way was found since
        done_cols_.push_back(j);
        for (std::uint32_t h = held_[j]; h != none; h = holdings_[h].next) {
            const std::uint32_t row = holdings_[h].row;
            if (row_stamp_[row] == search_) continue;
            row_from_[row] = j;
            scan(arcs, row, distance);
        }
    }
    if (sink_ == none) throw core::NumericalError("ot.exact", "the arcs cannot carry the supply");
    raise_duals(sink_distance_);
    push(source, sink_);
}

void AugmentingPaths::raise_duals(std::int64_t distance) {
    for (const auto& [row, at] : visited_rows_) f_[row] += distance - at;
    for (const std::uint32_t j : done_cols_) g_[j] -= distance - distance_[j];
}

void AugmentingPaths::push(std::uint32_t source, std::uint32_t sink) {
    std::int64_t units = std::min(supply_[source], demand_[sink]);
    for (std::uint32_t row = col_from_[sink]; row != source; row = col_from_[row_from_[row]]) {
        const std::uint32_t j = row_from_[row];
        for (std::uint32_t h = held_[j]; h != none; h = holdings_[h].next) {
            if (holdings_[h].row == row) units = std::min(units, holdings_[h].units);
        }
    }
    std::uint32_t j = sink;
    for (;;) {
        const std::uint32_t row = col_from_[j];
        add_units(row, j, units, cost_from_[j]);
        if (row == source) break;
        j = row_from_[row];
        remove_units(row, j, units);
    }
    supply_[source] -= units;
    demand_[sink] -= units;
}

void AugmentingPaths::add_units(std::uint32_t row, std::uint32_t col, std::int64_t units, std::int64_t cost) {
    for (std::uint32_t h = held_[col]; h != none; h = holdings_[h].next) {
        if (holdings_[h].row == row) {
            holdings_[h].units += units;
            return;
        }
    }
    std::uint32_t h = unused_;
    if (h == none) {
        h = static_cast<std::uint32_t>(holdings_.size());
        holdings_.emplace_back();
    } else {
        unused_ = holdings_[h].next;
    }
    holdings_[h] = {row, held_[col], units, cost};
    held_[col] = h;
}

void AugmentingPaths::remove_units(std::uint32_t row, std::uint32_t col, std::int64_t units) {
    std::uint32_t* link = &held_[col];
    while (holdings_[*link].row != row) link = &holdings_[*link].next;
    Holding& holding = holdings_[*link];
    holding.units -= units;
    if (holding.units > 0) return;
    const std::uint32_t h = *link;
    *link = holding.next;
    holding.next = unused_;
    unused_ = h;
}

std::vector<AugmentingPaths::Flow> AugmentingPaths::plan() const {
    std::vector<Flow> flows;
    for (std::uint32_t j = 0; j < held_.size(); ++j) {
        for (std::uint32_t h = held_[j]; h != none; h = holdings_[h].next) {
            flows.push_back({holdings_[h].row, j, holdings_[h].units});
        }
    }
    std::sort(flows.begin(), flows.end(),
              [](const Flow& a, const Flow& b) { return std::pair(a.i, a.j) < std::pair(b.i, b.j); });
    return flows;
}

}  // namespace popflow::ot
