// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "linalg/dispatch.hpp"

namespace popflow::ot {

namespace {

// Row blocks with sums of their own, added in this order: a number of the algorithm, not of the machine.
constexpr std::size_t row_blocks = 32;
// Below this many elements threads cost more than they save.
constexpr std::size_t serial_size = 1U << 20U;
constexpr float log2_e = 1.44269504F;
constexpr float smallest_sum = 1e-30F;
// While g moves by less than this (base 2) the last f bounds the exponents, else their maximum must.
constexpr float safe_move = 60;
// Stands for the logarithm of no weight at all.
constexpr float no_weight = -1e4F;

// 2^x for x < 127 to 2e-6 relative; below 2^-126 the answer is about 1e-38 instead of less.
[[gnu::always_inline]] inline float exp2_of_exponent(float x) {
    x = x < -126.0F ? -126.0F : x;
    constexpr float round_to_integer = 12582912.0F;  // 1.5 * 2^23: adding it leaves no fraction bits
    const float shifted = x + round_to_integer;
    const float r = x - (shifted - round_to_integer);
    float p = 1.3393e-3F;
    p = p * r + 9.6184e-3F;
    p = p * r + 5.55036e-2F;
    p = p * r + 2.402265e-1F;
    p = p * r + 6.931472e-1F;
    p = p * r + 1.0F;
    return std::bit_cast<float>(std::bit_cast<std::int32_t>(p) +
                                (std::bit_cast<std::int32_t>(shifted) << 23));
}

// Rows are taken four at a time: the sums of the columns and g pass through the registers once for all four.
constexpr std::size_t batch = 4;

struct RowBatch {
    std::array<const float*, batch> cost;
    std::array<float, batch> shift;   // added to every exponent of the row
    std::array<float, batch> sum;     // sum_j e_j, e_j = 2^(shift + g_j - scale c_j)
    std::array<float, batch> factor;  // what a row's e_j weigh in the columns' sums
};

// Leaves e_j of row l in kernel[l * columns + j].
POPFLOW_SIMD void exponential_rows(RowBatch& rows, const float* g, float scale, std::size_t columns,
                                   float* kernel) {
    const float* c0 = rows.cost[0];
    const float* c1 = rows.cost[1];
    const float* c2 = rows.cost[2];
    const float* c3 = rows.cost[3];
    const float shift0 = rows.shift[0];
    const float shift1 = rows.shift[1];
    const float shift2 = rows.shift[2];
    const float shift3 = rows.shift[3];
    float* k0 = kernel;
    float* k1 = k0 + columns;
    float* k2 = k1 + columns;
    float* k3 = k2 + columns;
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
    for (std::size_t j = 0; j < columns; ++j) {
        k0[j] = exp2_of_exponent(g[j] + shift0 - scale * c0[j]);
        k1[j] = exp2_of_exponent(g[j] + shift1 - scale * c1[j]);
        k2[j] = exp2_of_exponent(g[j] + shift2 - scale * c2[j]);
        k3[j] = exp2_of_exponent(g[j] + shift3 - scale * c3[j]);
        sum0 += k0[j];
        sum1 += k1[j];
        sum2 += k2[j];
        sum3 += k3[j];
    }
    rows.sum = {sum0, sum1, sum2, sum3};
}

POPFLOW_SIMD void add_to_columns(const RowBatch& rows, const float* kernel, std::size_t columns,
                                 float* sums) {
    const float factor0 = rows.factor[0];
    const float factor1 = rows.factor[1];
    const float factor2 = rows.factor[2];
    const float factor3 = rows.factor[3];
    const float* k0 = kernel;
    const float* k1 = k0 + columns;
    const float* k2 = k1 + columns;
    const float* k3 = k2 + columns;
    for (std::size_t j = 0; j < columns; ++j) {
        sums[j] += (factor0 * k0[j] + factor1 * k1[j]) + (factor2 * k2[j] + factor3 * k3[j]);
    }
}

// The largest exponent g_j - scale c_j of a row.
POPFLOW_SIMD float highest_exponent(const float* c, const float* g, float scale, std::size_t columns) {
    float highest = -std::numeric_limits<float>::max();
#pragma omp simd reduction(max : highest)
    for (std::size_t j = 0; j < columns; ++j) {
        const float u = g[j] - scale * c[j];
        highest = u > highest ? u : highest;
    }
    return highest;
}

POPFLOW_SIMD float sum_of_squares(const float* kernel, std::size_t columns) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns; ++j) sum += kernel[j] * kernel[j];
    return sum;
}

POPFLOW_SIMD void add(const float* more, std::size_t columns, float* sums) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += more[j];
}

std::vector<float> normalised(std::span<const double> weights, std::size_t count, const char* name) {
    if (weights.empty()) return std::vector<float>(count, 1.0F / static_cast<float>(count));
    core::check_shape(name, weights.size(), 1, count, 1);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<float> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<float>(weights[i] / total);
    return result;
}

// Everything is kept in base-2 logarithms: exponents are log2(e) (g_j - c_ij) / eps + log2 b_j.
class Iteration {
  public:
    Iteration(const CostRows& cost, std::span<const double> a, std::span<const double> b,
              const SinkhornOptions& options, const Potentials* start);
    // One update of f and of g; returns the 1-norm error of the column marginals in between.
    double sweep(bool count_partners);
    double partners() const;
    Potentials potentials() const;

  private:
    void update_rows(std::size_t block, bool count_partners, float* kernel);
    float cheapest_row(std::size_t j) const;

    CostRows cost_;
    std::vector<float> a_;
    std::vector<float> b_;
    double epsilon_;
    float scale_;
    float relaxation_;
    std::vector<float> f_;
    linalg::AlignedVector<float> g_;                     // padded; log2 b_j included
    linalg::AlignedVector<float> sums_;                  // row_blocks x padded columns
    std::vector<double> spread_;                         // per block
    float g_moved_ = std::numeric_limits<float>::max();  // the largest step of g since f was computed
};

Iteration::Iteration(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                     const SinkhornOptions& options, const Potentials* start)
    : cost_(cost),
      a_(normalised(a, cost.rows, "ot.sinkhorn.a")),
      b_(normalised(b, cost.cols, "ot.sinkhorn.b")),
      epsilon_(std::max(options.epsilon * cost.mean, 1e-20)),
      scale_(static_cast<float>(log2_e / epsilon_)),
      relaxation_(static_cast<float>(options.over_relaxation)),
      f_(cost.rows),
      g_(cost.padded_cols, no_weight),
      sums_(row_blocks * cost.padded_cols),
      spread_(row_blocks) {
    if (start != nullptr) core::check_shape("ot.sinkhorn.start.g", start->g.size(), 1, cost.cols, 1);
    for (std::size_t j = 0; j < cost.cols; ++j) {
        const double g = start == nullptr ? 0 : start->g[j];
        g_[j] = static_cast<float>(g * log2_e / epsilon_) + (b_[j] > 0 ? std::log2(b_[j]) : no_weight);
    }
}

void Iteration::update_rows(std::size_t block, bool count_partners, float* kernel) {
    const std::size_t columns = cost_.padded_cols;
    const std::size_t first = cost_.rows * block / row_blocks;
    const std::size_t last = cost_.rows * (block + 1) / row_blocks;
    float* sums = sums_.data() + block * columns;
    std::fill(sums, sums + columns, 0.0F);
    spread_[block] = 0;
    for (std::size_t i = first; i < last; i += batch) {
        const std::size_t count = std::min(batch, last - i);
        RowBatch rows{};
        for (std::size_t l = 0; l < batch; ++l) {
            const std::size_t row =
                i + std::min(l, count - 1);  // the last row stands in for those that are missing
            rows.cost[l] = cost_.row(row);
            rows.shift[l] =
                g_moved_ < safe_move ? f_[row] : -highest_exponent(rows.cost[l], g_.data(), scale_, columns);
        }
        exponential_rows(rows, g_.data(), scale_, columns, kernel);
        for (std::size_t l = 0; l < count; ++l) {
            f_[i + l] = rows.shift[l] - std::log2(rows.sum[l]);
            rows.factor[l] = a_[i + l] / rows.sum[l];
            if (count_partners) {
                spread_[block] += static_cast<double>(rows.sum[l]) * rows.sum[l] /
                                  sum_of_squares(kernel + l * columns, columns);
            }
        }
        add_to_columns(rows, kernel, columns, sums);
    }
}

float Iteration::cheapest_row(std::size_t j) const {
    float best = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < cost_.rows; ++i) best = std::min(best, scale_ * cost_.row(i)[j] - f_[i]);
    return best;
}

double Iteration::sweep(bool count_partners) {
    const std::size_t columns = cost_.padded_cols;
#pragma omp parallel if (cost_.rows * columns > serial_size)
    {
        linalg::AlignedVector<float> kernel(batch * columns);
#pragma omp for schedule(dynamic)
        for (std::size_t block = 0; block < row_blocks; ++block)
            update_rows(block, count_partners, kernel.data());
    }
    for (std::size_t block = 1; block < row_blocks; ++block)
        add(sums_.data() + block * columns, columns, sums_.data());
    double error = 0;
    g_moved_ = 0;
    for (std::size_t j = 0; j < cost_.cols; ++j) {
        error += std::fabs(sums_[j] - b_[j]);
        if (b_[j] <= 0) continue;
        const float before = g_[j];
        if (sums_[j] > smallest_sum) {
            g_[j] += relaxation_ * (std::log2(b_[j]) - std::log2(sums_[j]));
        } else {
            g_[j] = cheapest_row(j);
        }
        g_moved_ = std::max(g_moved_, std::fabs(g_[j] - before));
    }
    return error;
}

double Iteration::partners() const {
    return std::accumulate(spread_.begin(), spread_.end(), 0.0) / static_cast<double>(cost_.rows);
}

Potentials Iteration::potentials() const {
    const double unit = epsilon_ / log2_e;
    Potentials result{std::vector<double>(cost_.rows), std::vector<double>(cost_.cols)};
    for (std::size_t i = 0; i < f_.size(); ++i) result.f[i] = f_[i] * unit;
    for (std::size_t j = 0; j < result.g.size(); ++j) {
        // A column without weight bears no mass: its potential is the highest that leaves its arcs feasible.
        const float g = b_[j] > 0 ? g_[j] - std::log2(b_[j]) : cheapest_row(j);
        result.g[j] = g * unit;
    }
    return result;
}

}  // namespace

SinkhornResult sinkhorn(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start) {
    Iteration iteration(cost, a, b, options, start);
    SinkhornResult result;
    while (result.sweeps < options.sweeps) {
        result.marginal_error = iteration.sweep(options.count_partners);
        ++result.sweeps;
        if (!std::isfinite(result.marginal_error)) {
            throw core::NumericalError("ot.sinkhorn", "the potentials left the finite numbers");
        }
        if (result.marginal_error <= options.tolerance) break;
    }
    result.partners = iteration.partners();
    result.potentials = iteration.potentials();
    return result;
}

SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start) {
    Potentials scaled;
    if (start != nullptr) {
        scaled.g = start->g;
        for (double& g : scaled.g) g /= cost.unit();
    }
    SinkhornResult result = sinkhorn(cost.fp32(), a, b, options, start == nullptr ? nullptr : &scaled);
    for (double& f : result.potentials.f) f = f * cost.unit() + cost.offset();
    for (double& g : result.potentials.g) g *= cost.unit();
    return result;
}

}  // namespace popflow::ot
