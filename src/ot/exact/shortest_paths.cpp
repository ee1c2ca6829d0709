// SPDX-License-Identifier: MIT
#include "ot/exact/shortest_paths.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/cancellation.hpp"

namespace popflow::ot {

namespace {

constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
// Number of arcs of a row that one scan visits.
constexpr std::size_t arcs_per_scan = 8;
// Number of arcs that a search lists for a row the first time. The number doubles each time the list ends.
constexpr std::size_t first_list_size = 32;
// Listing a row of m columns takes about as long as scanning m / columns_per_effort arcs.
constexpr std::size_t columns_per_effort = 16;

}  // namespace

ShortestPaths::ShortestPaths(PartialPlan& plan)
    : plan_(plan),
      stamp_(plan.g.size()),
      distance_(plan.g.size()),
      reached_from_(plan.g.size()),
      row_stamp_(plan.f.size()),
      row_distance_(plan.f.size()),
      row_col_(plan.f.size()),
      row_share_(plan.f.size()),
      row_scanned_(plan.f.size()),
      row_listed_(plan.f.size()) {}

bool ShortestPaths::solve(std::size_t effort) {
    effort_ = effort;
    for (std::uint32_t i = 0; i < plan_.f.size(); ++i) {
        while (plan_.supply[i] > 0) {
            core::check_cancelled();
            if (!search(i)) return false;
            raise_duals();
            augment(i);
        }
    }
    return true;
}

void ShortestPaths::spend_effort(std::size_t arcs) {
    effort_ -= std::min(effort_, arcs);
}

void ShortestPaths::push(std::int64_t distance, std::uint32_t id) {
    queue_.push_back({distance, id});
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

void ShortestPaths::visit(std::uint32_t row, std::int64_t distance, std::uint32_t col, std::uint32_t share) {
    row_stamp_[row] = search_;
    row_distance_[row] = distance;
    row_col_[row] = col;
    row_share_[row] = share;
    row_scanned_[row] = 0;
    visited_rows_.push_back(row);
    scan(row);
}

// Scans the next few listed arcs of a row.
void ShortestPaths::scan(std::uint32_t row) {
    const std::int64_t base = row_distance_[row] - plan_.f[row];
    const auto arcs = plan_.candidates.row(row);
    const std::size_t first = row_scanned_[row];
    const std::size_t end = std::min(first + arcs_per_scan, arcs.size());
    spend_effort(end - first);
    for (const auto& [c, least, j] : arcs.subspan(first, end - first)) {
        const std::int64_t new_distance = base + c - plan_.g[j];
        if (new_distance >= sink_distance_ || (stamp_[j] == search_ && new_distance >= distance_[j]))
            continue;
        stamp_[j] = search_;
        distance_[j] = new_distance;
        reached_from_[j] = row;
        if (plan_.demand[j] > 0) {
            sink_distance_ = new_distance;
            sink_ = j;
        } else {
            push(new_distance, j);
        }
    }
    row_scanned_[row] = static_cast<std::uint32_t>(end);
    // Lower bound on the distance of the columns behind the remaining arcs.
    const std::int64_t least = end < arcs.size() ? arcs[end].least : plan_.candidates.bound(row);
    if (least == infinity) return;
    const std::int64_t beyond = std::max(base + least, row_distance_[row]);
    if (beyond < sink_distance_) push(beyond, static_cast<std::uint32_t>(plan_.g.size()) + row);
}

// Scans further arcs of a row. Lists more of them first if all listed arcs are scanned.
void ShortestPaths::scan_further(std::uint32_t row) {
    const std::size_t listed = plan_.candidates.row(row).size();
    if (row_scanned_[row] == listed) {
        plan_.candidates.list(row, row_listed_[row] == search_ ? 2 * listed : first_list_size);
        row_listed_[row] = search_;
        row_scanned_[row] = 0;
        spend_effort(plan_.g.size() / columns_per_effort);
    }
    scan(row);
}

bool ShortestPaths::search(std::uint32_t source) {
    ++search_;
    visited_rows_.clear();
    settled_cols_.clear();
    queue_.clear();
    sink_distance_ = infinity;
    sink_ = npos;
    visit(source, 0, npos, 0);
    while (!queue_.empty() && effort_ > 0) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const auto [distance, id] = queue_.back();
        queue_.pop_back();
        if (distance >= sink_distance_) break;
        if (id >= plan_.g.size()) {
            scan_further(static_cast<std::uint32_t>(id - plan_.g.size()));
            continue;
        }
        if (distance != distance_[id]) continue;  // stale entry: a shorter path was found
        settled_cols_.push_back(id);
        const auto& shares = plan_.shares[id];
        for (std::uint32_t l = 0; l < shares.size(); ++l) {
            if (row_stamp_[shares[l].row] != search_) visit(shares[l].row, distance, id, l);
        }
    }
    return sink_ != npos && effort_ > 0;
}

void ShortestPaths::raise_duals() {
    for (const std::uint32_t i : visited_rows_) plan_.f[i] += sink_distance_ - row_distance_[i];
    for (const std::uint32_t j : settled_cols_) {
        if (distance_[j] < sink_distance_) plan_.lower(j, sink_distance_ - distance_[j]);
    }
}

void ShortestPaths::augment(std::uint32_t source) {
    std::int64_t units = std::min(plan_.supply[source], plan_.demand[sink_]);
    for (std::uint32_t row = reached_from_[sink_]; row != source; row = reached_from_[row_col_[row]])
        units = std::min(units, plan_.shares[row_col_[row]][row_share_[row]].units);
    plan_.supply[source] -= units;
    plan_.demand[sink_] -= units;
    for (std::uint32_t j = sink_;;) {
        const std::uint32_t row = reached_from_[j];
        plan_.add(j, row, units);
        if (row == source) break;
        j = row_col_[row];
        auto& shares = plan_.shares[j];
        auto& share = shares[row_share_[row]];
        share.units -= units;
        if (share.units == 0) {
            share = shares.back();
            shares.pop_back();
        }
    }
}

}  // namespace popflow::ot
