// SPDX-License-Identifier: MIT
#include "ot/exact/rough_duals.hpp"

#include <algorithm>
#include <cmath>

namespace popflow::ot {

namespace {

// First epsilon, relative to the mean cost above the lowest.
constexpr double first_epsilon = 0.2;
// Number of epsilons, each half of the one before.
constexpr int levels = 4;
// The times of the sweeps and of the simplex, which is shorter for better duals, balance at this number.
constexpr int sweeps_per_level = 4;
// Range of the factors, so that their squares are finite.
constexpr float max_factor = 1e15F;
// A row with a smaller sum of the kernel is left out of the sweep.
constexpr float negligible_sum = 1e-30F;
constexpr std::size_t rows_per_step = 4;

}  // namespace

std::span<const float> RoughDuals::compute(const DenseCosts& costs, std::span<const std::int64_t> supply,
                                           std::span<const std::int64_t> demand) {
    const std::size_t n = costs.rows();
    const std::size_t m = costs.cols();
    const std::size_t padded_rows = (n + rows_per_step - 1) / rows_per_step * rows_per_step;
    padded_cols_ = costs.padded_cols();
    g_.assign(m, 0);
    double epsilon = first_epsilon * costs.mean();
    if (!(epsilon > 0)) return g_;

    double total = 0;
    for (const std::int64_t s : supply) total += static_cast<double>(s);
    a_.assign(padded_rows, 0);
    b_.assign(padded_cols_, 0);
    for (std::size_t i = 0; i < n; ++i) a_[i] = static_cast<float>(static_cast<double>(supply[i]) / total);
    for (std::size_t j = 0; j < m; ++j) b_[j] = static_cast<float>(static_cast<double>(demand[j]) / total);
    factors_.assign(padded_cols_, 1);
    weights_.assign(padded_cols_, 0);
    sums_.assign(padded_cols_, 0);
    kernel_.resize(padded_rows * padded_cols_);
    for (std::size_t i = 0; i < n; ++i) {
        // sums_ is still 0 here. The lowest cost of each row becomes 0, so no row of the kernel vanishes.
        const float lowest = min_sum(costs.row_fp32(i), sums_.data(), padded_cols_);
        float* row = &kernel_[i * padded_cols_];
        exponentiate_costs(costs.row_fp32(i), lowest, static_cast<float>(-1 / epsilon), padded_cols_, row);
        std::fill(row + m, row + padded_cols_, 0.0F);
    }
    std::fill(kernel_.begin() + static_cast<std::ptrdiff_t>(n * padded_cols_), kernel_.end(), 0.0F);
    for (int level = 0; level < levels; ++level) {
        if (level > 0) {
            epsilon /= 2;
            square_elements(kernel_.data(), kernel_.size());
            square_elements(factors_.data(), factors_.size());
        }
        for (int l = 0; l < sweeps_per_level; ++l) sweep();
    }
    for (std::size_t j = 0; j < m; ++j) g_[j] = static_cast<float>(epsilon) * std::log(factors_[j]);
    return g_;
}

void RoughDuals::sweep() {
    for (std::size_t j = 0; j < padded_cols_; ++j) weights_[j] = b_[j] * factors_[j];
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    for (std::size_t i = 0; i < a_.size(); i += rows_per_step) {
        const float* rows = &kernel_[i * padded_cols_];
        float row_factors[rows_per_step];
        dot_four_rows(rows, weights_.data(), padded_cols_, row_factors);
        for (std::size_t l = 0; l < rows_per_step; ++l)
            row_factors[l] = row_factors[l] > negligible_sum ? a_[i + l] / row_factors[l] : 0;
        add_four_rows(rows, row_factors, padded_cols_, sums_.data());
    }
    for (std::size_t j = 0; j < padded_cols_; ++j) {
        const float factor = sums_[j] > 1 / max_factor ? 1 / sums_[j] : max_factor;
        factors_[j] = factor > 1 / max_factor ? factor : 1 / max_factor;
    }
}

}  // namespace popflow::ot
