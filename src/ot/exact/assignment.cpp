// SPDX-License-Identifier: MIT
#include "ot/exact/assignment.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

constexpr std::int64_t unreached = std::numeric_limits<std::int64_t>::max();
// Row reduction ends after this many steps for each row, whatever is left.
constexpr std::size_t steps_per_row = 8;

}  // namespace

Assignment::Assignment(std::vector<std::int64_t> g)
    : f_(g.size()),
      g_(std::move(g)),
      col_of_(g_.size(), npos),
      row_of_(g_.size(), npos),
      stamp_(g_.size()),
      distance_(g_.size()),
      reached_from_(g_.size()) {}

void Assignment::solve(const ArcList& arcs) {
    restore_feasibility(arcs);
    take_free_columns(arcs);
    reduce_rows(arcs);
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        if (col_of_[i] == npos) augment(arcs, i);
    }
}

void Assignment::pair(std::uint32_t row, std::uint32_t col) {
    col_of_[row] = col;
    row_of_[col] = row;
}

void Assignment::restore_feasibility(const ArcList& arcs) {
    for (std::size_t i = 0; i < f_.size(); ++i) {
        std::int64_t least = unreached;
        std::int64_t own = unreached;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::int64_t reduced = arcs.cost[e] - g_[arcs.col[e]];
            least = std::min(least, reduced);
            if (arcs.col[e] == col_of_[i]) own = reduced;
        }
        f_[i] = least;
        // A pair stays only where the duals are still tight.
        if (col_of_[i] != npos && own != least) {
            row_of_[col_of_[i]] = npos;
            col_of_[i] = npos;
        }
    }
}

void Assignment::take_free_columns(const ArcList& arcs) {
    for (std::uint32_t i = 0; i < f_.size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1] && col_of_[i] == npos; ++e) {
            const std::uint32_t j = arcs.col[e];
            if (row_of_[j] == npos && arcs.cost[e] - g_[j] == f_[i]) pair(i, j);
        }
    }
}

void Assignment::reduce_rows(const ArcList& arcs) {
    waiting_.clear();
    for (auto i = static_cast<std::uint32_t>(f_.size()); i-- > 0;) {
        if (col_of_[i] == npos) waiting_.push_back(i);
    }
    for (std::size_t steps = steps_per_row * f_.size(); steps > 0 && !waiting_.empty(); --steps) {
        const std::uint32_t row = waiting_.back();
        waiting_.pop_back();
        std::int64_t least = unreached;
        std::int64_t second = unreached;
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
        if (second == unreached) continue;
        f_[row] = second;
        if (least < second) {
            g_[col] -= second - least;
        } else if (row_of_[col] != npos) {
            col = second_col;
            if (row_of_[col] != npos) continue;
        }
        const std::uint32_t before = row_of_[col];
        pair(row, col);
        if (before == npos) continue;
        col_of_[before] = npos;
        waiting_.push_back(before);
    }
}

void Assignment::scan(const ArcList& arcs, std::uint32_t row, std::int64_t distance) {
    visited_rows_.emplace_back(row, distance);
    const std::int64_t base = distance - f_[row];
    for (std::size_t e = arcs.first[row]; e < arcs.first[row + 1]; ++e) {
        const std::uint32_t j = arcs.col[e];
        const std::int64_t through = base + arcs.cost[e] - g_[j];
        if (through >= sink_distance_ || (stamp_[j] == search_ && through >= distance_[j])) continue;
        stamp_[j] = search_;
        distance_[j] = through;
        reached_from_[j] = row;
        if (row_of_[j] == npos) {
            sink_distance_ = through;
            sink_ = j;
        } else {
            queue_.push_back({through, j});
            std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
        }
    }
}

void Assignment::augment(const ArcList& arcs, std::uint32_t source) {
    ++search_;
    visited_rows_.clear();
    done_cols_.clear();
    queue_.clear();
    sink_distance_ = unreached;
    sink_ = npos;
    scan(arcs, source, 0);
    while (!queue_.empty()) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const auto [distance, j] = queue_.back();
        queue_.pop_back();
        if (distance >= sink_distance_) break;
        if (distance != distance_[j]) continue;  // a shorter way was found since
        done_cols_.push_back(j);
        scan(arcs, row_of_[j], distance);
    }
    if (sink_ == npos) throw core::NumericalError("ot.exact", "the arcs hold no assignment");
    for (const auto& [row, at] : visited_rows_) f_[row] += sink_distance_ - at;
    for (const std::uint32_t j : done_cols_) g_[j] -= sink_distance_ - distance_[j];
    for (std::uint32_t j = sink_;;) {
        const std::uint32_t row = reached_from_[j];
        const std::uint32_t given_up = col_of_[row];
        pair(row, j);
        if (row == source) break;
        j = given_up;
    }
}

std::vector<Flow> Assignment::plan() const {
    std::vector<Flow> flows(f_.size());
    for (std::uint32_t i = 0; i < f_.size(); ++i) flows[i] = {i, col_of_[i], 1};
    return flows;
}

}  // namespace popflow::ot
