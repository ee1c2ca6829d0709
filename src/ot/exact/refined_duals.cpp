// SPDX-License-Identifier: MIT
#include "ot/exact/refined_duals.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/simd.hpp"
#include "linalg/exponential.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t halvings = 2;
constexpr std::size_t sweeps_per_epsilon = 5;
constexpr float over_relaxation = 1.5F;
// The difference between this slack of a row, counted from 0, and the smallest one sets the first epsilon.
constexpr std::size_t spread_rank = 8;
constexpr double epsilon_share = 1.0 / 3;
// Smallest ratio of the mass of a column to its demand in an update.
constexpr float min_ratio = 1e-3F;

// Units of the sweeps: the first epsilon. The slack of an arc in a sweep is its slack for the given duals,
// from which that of its row's best arc is subtracted, minus the change of the dual of its column.

// Sets slack[e] = base[e] - change[col[e]] and returns the smallest.
POPFLOW_SIMD float slacks_of_row(const float* base, const std::uint32_t* col, std::size_t count,
                                 const float* change, float* slack) {
    float least = base[0] - change[col[0]];
#pragma omp simd reduction(min : least)
    for (std::size_t e = 0; e < count; ++e) {
        slack[e] = base[e] - change[col[e]];
        least = slack[e] < least ? slack[e] : least;
    }
    return least;
}

// Replaces each slack by demand_j exp((least - slack) / epsilon) and returns the sum.
POPFLOW_SIMD float plan_of_row(float least, float inverse_epsilon, const std::uint32_t* col,
                               const float* demand, std::size_t count, float* slack) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t e = 0; e < count; ++e) {
        slack[e] = demand[col[e]] * linalg::exp_negative((least - slack[e]) * inverse_epsilon);
        sum += slack[e];
    }
    return sum;
}

// Writes the slacks c_ij - g_j of all arcs, minus the smallest of their row.
// @return the mean over the rows of their slack of rank `spread_rank`
double relative_slacks(const ArcList& arcs, std::span<const std::int64_t> g, std::span<double> slack) {
    std::vector<double> sorted;
    double spread = 0;
    const std::size_t n = arcs.first.size() - 1;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t first = arcs.first[i];
        const std::span<double> row = slack.subspan(first, arcs.first[i + 1] - first);
        for (std::size_t e = 0; e < row.size(); ++e)
            row[e] = static_cast<double>(arcs.cost[first + e] - g[arcs.col[first + e]]);
        const double least = std::ranges::min(row);
        for (double& v : row) v -= least;
        sorted.assign(row.begin(), row.end());
        const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(spread_rank, row.size() - 1));
        std::ranges::nth_element(sorted, at);
        spread += *at / static_cast<double>(n);
    }
    return spread;
}

}  // namespace

std::vector<std::int64_t> refined_duals(const ArcList& arcs, std::span<const std::int64_t> supply,
                                        std::span<const std::int64_t> demand,
                                        std::span<const std::int64_t> g) {
    const std::size_t n = supply.size();
    const std::size_t m = demand.size();
    std::vector<double> slack(arcs.size());
    const double epsilon = epsilon_share * relative_slacks(arcs, g, slack);
    if (!(epsilon > 0)) return {g.begin(), g.end()};

    // The mean weight of a row is 1.
    const double mean_supply = std::accumulate(supply.begin(), supply.end(), 0.0) / static_cast<double>(n);
    const auto scaled = [&](double unit) {
        return [unit](auto v) { return static_cast<float>(static_cast<double>(v) / unit); };
    };
    std::vector<float> supplies(n);
    std::vector<float> demands(m);
    std::vector<float> base(arcs.size());
    std::ranges::transform(supply, supplies.begin(), scaled(mean_supply));
    std::ranges::transform(demand, demands.begin(), scaled(mean_supply));
    std::ranges::transform(slack, base.begin(), scaled(epsilon));
    std::vector<float> plan(arcs.size());
    std::vector<float> change(m);
    std::vector<float> mass(m);
    float inverse_epsilon = 1;
    for (std::size_t halving = 0; halving <= halvings; ++halving, inverse_epsilon *= 2) {
        for (std::size_t sweep = 0; sweep < sweeps_per_epsilon; ++sweep) {
            std::ranges::fill(mass, 0.0F);
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t first = arcs.first[i];
                const std::size_t count = arcs.first[i + 1] - first;
                const std::uint32_t* col = arcs.col.data() + first;
                float* row = plan.data() + first;
                const float least = slacks_of_row(base.data() + first, col, count, change.data(), row);
                const float sum = plan_of_row(least, inverse_epsilon, col, demands.data(), count, row);
                const float scale = supplies[i] / sum;
                for (std::size_t e = 0; e < count; ++e) mass[col[e]] += scale * row[e];
            }
            for (std::size_t j = 0; j < m; ++j)
                change[j] -=
                    over_relaxation / inverse_epsilon * std::log(std::max(mass[j] / demands[j], min_ratio));
        }
    }
    std::vector<std::int64_t> result(m);
    for (std::size_t j = 0; j < m; ++j)
        result[j] = g[j] + std::llround(epsilon * static_cast<double>(change[j]));
    return result;
}

}  // namespace popflow::ot
