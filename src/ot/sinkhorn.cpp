// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "linalg/dispatch.hpp"

namespace popflow::ot {

namespace {

// Row blocks with column sums of their own, added in this order: a number of the algorithm, not of the
// machine.
constexpr std::size_t row_blocks = 32;
// Below this many elements threads cost more than they save.
constexpr std::size_t serial_size = 1U << 16U;
constexpr float log2_e = 1.44269504F;
constexpr float smallest_sum = 1e-30F;
// Stands for the logarithm of no weight at all.
constexpr float no_weight = -1e4F;

// 2^x for x <= 0 to 2e-6 relative; below 2^-126 the answer is about 1e-38 instead of less.
[[gnu::always_inline]] inline float exp2_of_negative(float x) {
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

struct RowSums {
    float highest;  // max_j of the exponent, base 2
    float sum;      // sum_j 2^(exponent - highest)
    float squares;  // sum_j of the squares of the same
};

// Exponents u_j = g_j - scale c_j; leaves 2^(u_j - highest) in `kernel`.
POPFLOW_SIMD RowSums exponential_row(const float* c, const float* g, float scale, std::size_t columns,
                                     float* kernel) {
    float highest = -std::numeric_limits<float>::max();
#pragma omp simd reduction(max : highest)
    for (std::size_t j = 0; j < columns; ++j) {
        const float u = g[j] - scale * c[j];
        kernel[j] = u;
        highest = u > highest ? u : highest;
    }
    float sum = 0;
    float squares = 0;
#pragma omp simd reduction(+ : sum, squares)
    for (std::size_t j = 0; j < columns; ++j) {
        const float e = exp2_of_negative(kernel[j] - highest);
        kernel[j] = e;
        sum += e;
        squares += e * e;
    }
    return {highest, sum, squares};
}

POPFLOW_SIMD void add_scaled(const float* kernel, float factor, std::size_t columns, float* sums) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += factor * kernel[j];
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
    Iteration(const Cost& cost, std::span<const double> a, std::span<const double> b,
              const SinkhornOptions& options, const Potentials* start);
    // One update of f and of g; returns the 1-norm error of the column marginals in between.
    double sweep();
    double partners() const { return partners_; }
    Potentials potentials() const;

  private:
    void update_rows(std::size_t block, float* kernel);
    float cheapest_row(std::size_t j) const;

    const Cost& cost_;
    std::vector<float> a_;
    std::vector<float> b_;
    double epsilon_;
    float scale_;
    float relaxation_;
    std::vector<float> f_;
    linalg::AlignedVector<float> g_;     // padded; log2 b_j included
    linalg::AlignedVector<float> sums_;  // row_blocks x padded columns
    std::vector<double> spread_;         // per block
    double partners_ = 0;
};

Iteration::Iteration(const Cost& cost, std::span<const double> a, std::span<const double> b,
                     const SinkhornOptions& options, const Potentials* start)
    : cost_(cost),
      a_(normalised(a, cost.rows(), "ot.sinkhorn.a")),
      b_(normalised(b, cost.cols(), "ot.sinkhorn.b")),
      epsilon_(std::max(options.epsilon * cost.mean(), 1e-20)),
      scale_(static_cast<float>(log2_e / epsilon_)),
      relaxation_(static_cast<float>(options.over_relaxation)),
      f_(cost.rows()),
      g_(cost.padded_cols(), no_weight),
      sums_(row_blocks * cost.padded_cols()),
      spread_(row_blocks) {
    if (start != nullptr) core::check_shape("ot.sinkhorn.start.g", start->g.size(), 1, cost.cols(), 1);
    for (std::size_t j = 0; j < cost.cols(); ++j) {
        const double g = start == nullptr ? 0 : start->g[j] / cost.unit();
        g_[j] = static_cast<float>(g * log2_e / epsilon_) + (b_[j] > 0 ? std::log2(b_[j]) : no_weight);
    }
}

void Iteration::update_rows(std::size_t block, float* kernel) {
    const std::size_t columns = cost_.padded_cols();
    const std::size_t first = cost_.rows() * block / row_blocks;
    const std::size_t last = cost_.rows() * (block + 1) / row_blocks;
    float* sums = sums_.data() + block * columns;
    std::fill(sums, sums + columns, 0.0F);
    spread_[block] = 0;
    for (std::size_t i = first; i < last; ++i) {
        const RowSums row = exponential_row(cost_.row(i), g_.data(), scale_, columns, kernel);
        f_[i] = -(row.highest + std::log2(row.sum));
        spread_[block] += static_cast<double>(row.sum) * row.sum / row.squares;
        add_scaled(kernel, a_[i] / row.sum, columns, sums);
    }
}

float Iteration::cheapest_row(std::size_t j) const {
    float best = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < cost_.rows(); ++i) best = std::min(best, scale_ * cost_.row(i)[j] - f_[i]);
    return best;
}

double Iteration::sweep() {
    const std::size_t columns = cost_.padded_cols();
#pragma omp parallel if (cost_.rows() * columns > serial_size)
    {
        linalg::AlignedVector<float> kernel(columns);
#pragma omp for schedule(dynamic)
        for (std::size_t block = 0; block < row_blocks; ++block) update_rows(block, kernel.data());
    }
    for (std::size_t block = 1; block < row_blocks; ++block)
        add(sums_.data() + block * columns, columns, sums_.data());
    partners_ = std::accumulate(spread_.begin(), spread_.end(), 0.0) / static_cast<double>(cost_.rows());
    double error = 0;
    for (std::size_t j = 0; j < cost_.cols(); ++j) {
        error += std::fabs(sums_[j] - b_[j]);
        if (b_[j] <= 0) continue;
        if (sums_[j] > smallest_sum) {
            g_[j] += relaxation_ * (std::log2(b_[j]) - std::log2(sums_[j]));
        } else {
            g_[j] = cheapest_row(j);
        }
    }
    return error;
}

Potentials Iteration::potentials() const {
    const double unit = epsilon_ / log2_e * cost_.unit();
    Potentials result{std::vector<double>(cost_.rows()), std::vector<double>(cost_.cols())};
    for (std::size_t i = 0; i < f_.size(); ++i) result.f[i] = f_[i] * unit + cost_.offset();
    for (std::size_t j = 0; j < result.g.size(); ++j) {
        // A column without weight bears no mass: its potential is the highest that leaves its arcs feasible.
        const float g = b_[j] > 0 ? g_[j] - std::log2(b_[j]) : cheapest_row(j);
        result.g[j] = g * unit;
    }
    return result;
}

}  // namespace

SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start) {
    Iteration iteration(cost, a, b, options, start);
    SinkhornResult result;
    while (result.sweeps < options.sweeps) {
        result.marginal_error = iteration.sweep();
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

}  // namespace popflow::ot
