// SPDX-License-Identifier: MIT
#include "ot/exact/assignment.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/cancellation.hpp"
#include "core/error.hpp"

namespace popflow::ot {

namespace {

constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
// Number of steps of the row reduction per row. Rows that are unmatched after that are augmented.
constexpr std::size_t steps_per_row = 8;

}  // namespace

Assignment::Assignment(std::vector<std::int64_t> g)
    : f_(g.size()),
      g_(std::move(g)),
      matched_col_(g_.size(), npos),
      matched_row_(g_.size(), npos),
      stamp_(g_.size()),
      distance_(g_.size()),
      reached_from_(g_.size()) {}

void Assignment::solve(const ArcList& arcs) {
    restore_feasibility(arcs);
    match_free_columns(arcs);
    reduce_rows(arcs);
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        if (matched_col_[i] != npos) continue;
        core::check_cancelled();
        augment(arcs, i);
    }
}

void Assignment::match(std::uint32_t row, std::uint32_t col) {
    matched_col_[row] = col;
    matched_row_[col] = row;
}

void Assignment::restore_feasibility(const ArcList& arcs) {
    for (std::size_t i = 0; i < f_.size(); ++i) {
        std::int64_t least = infinity;
        std::int64_t own_reduced = infinity;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::int64_t reduced = arcs.cost[e] - g_[arcs.col[e]];
            least = std::min(least, reduced);
            if (arcs.col[e] == matched_col_[i]) own_reduced = reduced;
        }
        f_[i] = least;
        // Keeps a match only if its arc is still tight.
        if (matched_col_[i] != npos && own_reduced != least) {
            matched_row_[matched_col_[i]] = npos;
            matched_col_[i] = npos;
        }
    }
}

void Assignment::match_free_columns(const ArcList& arcs) {
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1] && matched_col_[i] == npos; ++e) {
            const std::uint32_t j = arcs.col[e];
            if (matched_row_[j] == npos && arcs.cost[e] - g_[j] == f_[i]) match(i, j);
        }
    }
}

void Assignment::reduce_rows(const ArcList& arcs) {
    unmatched_rows_.clear();
    for (auto i = static_cast<std::uint32_t>(f_.size()); i-- > 0;) {
        if (matched_col_[i] == npos) unmatched_rows_.push_back(i);
    }
    for (std::size_t steps = steps_per_row * f_.size(); steps > 0 && !unmatched_rows_.empty(); --steps) {
        const std::uint32_t row = unmatched_rows_.back();
        unmatched_rows_.pop_back();
        std::int64_t least = infinity;
        std::int64_t second = infinity;
        std::uint32_t col = npos;
        std::uint32_t second_col = npos;
        for (std::size_t e = arcs.first[row]; e < arcs.first[row + 1]; ++e) {
            const std::int64_t reduced = arcs.cost[e] - g_[arcs.col[e]];
            if (reduced >= second) continue;
            if (reduced < least) {
                second = least;
                second_col = col;
                least = reduced;
                col = arcs.col[e];
            } else {
                second = reduced;
                second_col = arcs.col[e];
            }
        }
        if (second == infinity) continue;
        f_[row] = second;
        if (least < second) {
            g_[col] -= second - least;
        } else if (matched_row_[col] != npos) {
            col = second_col;
            if (matched_row_[col] != npos) continue;
        }
        const std::uint32_t displaced_row = matched_row_[col];
        match(row, col);
        if (displaced_row == npos) continue;
        matched_col_[displaced_row] = npos;
        unmatched_rows_.push_back(displaced_row);
    }
}

void Assignment::scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance) {
    visited_rows_.emplace_back(row, distance);
    const std::int64_t base = distance - f_[row];
    for (std::size_t e = arcs.first[row]; e < arcs.first[row + 1]; ++e) {
        const std::uint32_t j = arcs.col[e];
        const std::int64_t new_distance = base + arcs.cost[e] - g_[j];
        if (new_distance >= sink_distance_ || (stamp_[j] == search_ && new_distance >= distance_[j]))
            continue;
        stamp_[j] = search_;
        distance_[j] = new_distance;
        reached_from_[j] = row;
        if (matched_row_[j] == npos) {
            sink_distance_ = new_distance;
            sink_ = j;
        } else {
            queue_.push_back({new_distance, j});
            std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
        }
    }
}

void Assignment::augment(const ArcList& arcs, std::uint32_t source) {
    ++search_;
    visited_rows_.clear();
    settled_cols_.clear();
    queue_.clear();
    sink_distance_ = infinity;
    sink_ = npos;
    scan(arcs, source, 0);
    while (!queue_.empty()) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const auto [distance, j] = queue_.back();
        queue_.pop_back();
        if (distance >= sink_distance_) break;
        if (distance != distance_[j]) continue;  // stale entry: a shorter path was found
        settled_cols_.push_back(j);
        scan(arcs, matched_row_[j], distance);
    }
    if (sink_ == npos) throw core::NumericalError("ot.exact", "the arcs contain no perfect matching");
    for (const auto& [row, distance] : visited_rows_) f_[row] += sink_distance_ - distance;
    for (const std::uint32_t j : settled_cols_) g_[j] -= sink_distance_ - distance_[j];
    for (std::uint32_t j = sink_;;) {
        const std::uint32_t row = reached_from_[j];
        const std::uint32_t released_col = matched_col_[row];
        match(row, j);
        if (row == source) break;
        j = released_col;
    }
}

std::vector<Flow> Assignment::plan() const {
    std::vector<Flow> flows(f_.size());
    for (std::uint32_t i = 0; i < f_.size(); ++i) flows[i] = {i, matched_col_[i], 1};
    return flows;
}

}  // namespace popflow::ot
