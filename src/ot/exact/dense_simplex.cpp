// SPDX-License-Identifier: MIT
#include "ot/exact/dense_simplex.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

// Key of a column that is closed or padding, larger than any cost and potential.
constexpr float closed = 4e18F;
// Real problems need a few pivots per node.
constexpr std::size_t max_pivots_per_node = 10000;

}  // namespace

void DenseSimplex::start(const DenseCosts& costs, std::span<const std::int64_t> supply,
                         std::span<const std::int64_t> demand, std::span<const float> g) {
    const std::size_t n = costs.rows();
    const std::size_t m = costs.cols();
    const std::size_t padded = costs.padded_cols();
    supply_.assign(supply.begin(), supply.end());
    demand_.assign(demand.begin(), demand.end());
    key_.assign(padded, closed);
    for (std::size_t j = 0; j < m; ++j) key_[j] = -g[j];
    cheapest_.resize(n);
    first_slack_.resize(n);
    queue_.clear();
    const auto choose = [&](std::uint32_t i) {
        const float least = min_sum(costs.row_fp32(i), key_.data(), padded);
        cheapest_[i] =
            static_cast<std::uint32_t>(position_of_sum(costs.row_fp32(i), key_.data(), padded, least));
        return least;
    };
    // Equal slacks in ascending order are a heap.
    for (std::uint32_t i = 0; i < n; ++i) {
        first_slack_[i] = choose(i);
        queue_.push_back({0, i});
    }
    tree_.reset_padded(n, m, padded);
    std::size_t open_cols = m;
    for (std::size_t open_rows = n; open_rows > 0;) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        const std::uint32_t i = queue_.back().row;
        queue_.pop_back();
        // Closes the column or the row whose mass is exhausted. It becomes a leaf of the remaining problem,
        // so its parent is the other one. If both are, the row remains, since only rows may have no flow.
        const std::uint32_t j = cheapest_[i];
        if (key_[j] == closed) {
            queue_.push_back({choose(i) - first_slack_[i], i});
        } else if (supply_[i] >= demand_[j] && open_cols > 1) {
            supply_[i] -= demand_[j];
            tree_.attach(j, tree_.row_node(i), demand_[j]);
            key_[j] = closed;
            --open_cols;
            queue_.push_back({choose(i) - first_slack_[i], i});
        } else {
            demand_[j] -= supply_[i];
            tree_.attach(tree_.row_node(i), j, supply_[i]);
            --open_rows;
            if (open_rows == 0) tree_.finish(j);
            continue;
        }
        std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
    }
}

std::size_t DenseSimplex::solve(const DenseCosts& costs) {
    tree_.set_potentials(costs);
    pivots_left_ = max_pivots_per_node * (costs.rows() + costs.cols());
    std::size_t passes = 1;
    while (pass_fp32(costs) > 0) ++passes;
    do {
        ++passes;
    } while (pass_exact(costs) > 0);
    return passes;
}

void DenseSimplex::count_pivot() {
    if (pivots_left_ == 0) throw core::NumericalError("ot.exact", "the network simplex did not terminate");
    --pivots_left_;
}

std::size_t DenseSimplex::pass_fp32(const DenseCosts& costs) {
    tree_.centre();
    const float* p = tree_.col_potentials_fp32();
    const std::size_t padded = costs.padded_cols();
    found_fp32_.clear();
    for (std::uint32_t i = 0; i < costs.rows(); ++i) {
        const float slack = min_sum(costs.row_fp32(i), p, padded) - tree_.row_potential_fp32(i);
        if (slack < 0) found_fp32_.emplace_back(slack, i);
    }
    std::ranges::sort(found_fp32_);
    std::size_t pivots = 0;
    for (const auto& [old_slack, i] : found_fp32_) {
        const float least = min_sum(costs.row_fp32(i), p, padded);
        if (least >= tree_.row_potential_fp32(i)) continue;
        const std::size_t j = position_of_sum(costs.row_fp32(i), p, padded, least);
        const auto slack = static_cast<std::int64_t>(static_cast<std::uint64_t>(costs(i, j)) +
                                                     tree_.col_potentials()[j] - tree_.row_potential(i));
        if (slack >= 0) continue;
        count_pivot();
        tree_.pivot(i, static_cast<std::uint32_t>(j), slack);
        ++pivots;
    }
    return pivots;
}

std::size_t DenseSimplex::pass_exact(const DenseCosts& costs) {
    tree_.centre();
    const std::uint64_t* p = tree_.col_potentials();
    const std::size_t padded = costs.padded_cols();
    const auto min_slack = [&](std::uint32_t i) {
        const auto least = static_cast<std::uint64_t>(min_sum(costs.row(i), p, padded));
        return static_cast<std::int64_t>(least - tree_.row_potential(i));
    };
    found_.clear();
    for (std::uint32_t i = 0; i < costs.rows(); ++i) {
        const std::int64_t slack = min_slack(i);
        if (slack < 0) found_.emplace_back(slack, i);
    }
    std::ranges::sort(found_);
    std::size_t pivots = 0;
    for (const auto& [old_slack, i] : found_) {
        const std::int64_t slack = min_slack(i);
        if (slack >= 0) continue;
        const auto least =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(slack) + tree_.row_potential(i));
        const std::size_t j = position_of_sum(costs.row(i), p, padded, least);
        count_pivot();
        tree_.pivot(i, static_cast<std::uint32_t>(j), slack);
        ++pivots;
    }
    return pivots;
}

}  // namespace popflow::ot
