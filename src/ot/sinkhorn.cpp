// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "linalg/matrix.hpp"
#include "ot/sinkhorn_rows.hpp"

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
// Partners are counted in one batch of rows of so many.
constexpr std::size_t count_every = 4;
// Stands for the logarithm of no weight at all.
constexpr float no_weight = -1e4F;

std::vector<float> normalised(std::span<const double> weights, std::size_t count, const char* name) {
    if (weights.empty()) return std::vector<float>(count, 1.0F / static_cast<float>(count));
    core::check_shape(name, weights.size(), 1, count, 1);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<float> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<float>(weights[i] / total);
    return result;
}

// How much of a step to the best potential is taken.
float step(double rho, double epsilon) {
    return std::isinf(rho) ? 1.0F : static_cast<float>(rho / (rho + epsilon));
}

// What a potential adds to the dual value per weight: -rho (e^(-f / rho) - 1), f where rho is infinite.
double dual_of(double f, double rho) {
    return std::isinf(rho) ? f : -rho * std::expm1(-f / rho);
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
    // Value, transport cost and mass, in units of the matrix.
    void add_values(SinkhornResult& result) const;

  private:
    void start_from_rows(std::span<const double> f);
    void update_rows(std::size_t block, bool count_partners, float* kernel);
    float cheapest_row(std::size_t j) const;
    // Less the offset.
    float row_potential(std::size_t i) const {
        return row_step_ < 1 ? row_step_ * (f_[i] + offset_) - offset_ : f_[i];
    }

    CostRows cost_;
    std::vector<float> a_;
    std::vector<float> b_;
    double epsilon_;
    float scale_;
    float relaxation_;
    double rho_rows_;
    double rho_cols_;
    float row_step_;  // rho / (rho + eps)
    float col_step_;
    float offset_;                    // of the costs; where marginals are kept it has no effect on the plan
    std::vector<float> f_;            // as of infinite rho, which bounds the exponents
    linalg::AlignedVector<float> g_;  // padded; log2 b_j included
    linalg::AlignedVector<float> sums_;                  // row_blocks x padded columns
    std::vector<double> spread_;                         // per block, over the rows that are counted
    std::vector<std::size_t> counted_;                   // per block
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
      rho_rows_(options.rho_rows * cost.mean),
      rho_cols_(options.rho_cols * cost.mean),
      row_step_(step(rho_rows_, epsilon_)),
      col_step_(step(rho_cols_, epsilon_)),
      offset_(static_cast<float>(cost.offset * log2_e / epsilon_)),
      f_(cost.rows),
      g_(cost.padded_cols, no_weight),
      sums_(row_blocks * cost.padded_cols),
      spread_(row_blocks),
      counted_(row_blocks) {
    const bool has_g = start != nullptr && !start->g.empty();
    if (has_g) core::check_shape("ot.sinkhorn.start.g", start->g.size(), 1, cost.cols, 1);
    for (std::size_t j = 0; j < cost.cols; ++j) {
        const double g = has_g ? start->g[j] : 0;
        g_[j] = static_cast<float>(g * log2_e / epsilon_) + (b_[j] > 0 ? std::log2(b_[j]) : no_weight);
    }
    if (start != nullptr && !has_g && !start->f.empty()) start_from_rows(start->f);
}

// The step of g that follows on f.
void Iteration::start_from_rows(std::span<const double> f) {
    core::check_shape("ot.sinkhorn.start.f", f.size(), 1, cost_.rows, 1);
    const auto exponent = [&](std::size_t i, std::size_t j) {
        return f[i] * log2_e / epsilon_ + std::log2(static_cast<double>(a_[i])) -
               static_cast<double>(scale_) * cost_.row(i)[j];
    };
    std::vector<double> highest(cost_.cols, -std::numeric_limits<double>::infinity());
    std::vector<double> sum(cost_.cols);
    for (std::size_t i = 0; i < cost_.rows; ++i) {
        if (a_[i] <= 0) continue;
        for (std::size_t j = 0; j < cost_.cols; ++j) highest[j] = std::max(highest[j], exponent(i, j));
    }
    for (std::size_t i = 0; i < cost_.rows; ++i) {
        if (a_[i] <= 0) continue;
        for (std::size_t j = 0; j < cost_.cols; ++j) sum[j] += std::exp2(exponent(i, j) - highest[j]);
    }
    for (std::size_t j = 0; j < cost_.cols; ++j) {
        if (b_[j] > 0)
            g_[j] = static_cast<float>(-col_step_ * (highest[j] + std::log2(sum[j]))) + std::log2(b_[j]);
    }
}

void Iteration::update_rows(std::size_t block, bool count_partners, float* kernel) {
    const std::size_t columns = cost_.padded_cols;
    const std::size_t first = cost_.rows * block / row_blocks;
    const std::size_t last = cost_.rows * (block + 1) / row_blocks;
    float* sums = sums_.data() + block * columns;
    std::fill(sums, sums + columns, 0.0F);
    spread_[block] = 0;
    counted_[block] = 0;
    for (std::size_t i = first; i < last; i += sinkhorn_batch) {
        const std::size_t count = std::min(sinkhorn_batch, last - i);
        RowBatch rows{};
        for (std::size_t l = 0; l < sinkhorn_batch; ++l) {
            const std::size_t row =
                i + std::min(l, count - 1);  // the last row stands in for those that are missing
            rows.cost[l] = cost_.row(row);
            rows.shift[l] =
                g_moved_ < safe_move ? f_[row] : -highest_exponent(rows.cost[l], g_.data(), scale_, columns);
        }
        exponential_rows(rows, g_.data(), scale_, columns, kernel);
        const bool count_these = count_partners && (i - first) / sinkhorn_batch % count_every == 0;
        for (std::size_t l = 0; l < count; ++l) {
            f_[i + l] = rows.shift[l] - std::log2(rows.sum[l]);
            rows.factor[l] = a_[i + l] / rows.sum[l];
            // A row that is short of its mass, or has more.
            if (row_step_ < 1) rows.factor[l] *= std::exp2((row_step_ - 1) * (f_[i + l] + offset_));
            if (count_these) {
                ++counted_[block];
                spread_[block] += static_cast<double>(rows.sum[l]) * rows.sum[l] /
                                  sum_of_squares(kernel + l * columns, columns);
            }
        }
        add_to_columns(rows, kernel, columns, sums);
    }
}

float Iteration::cheapest_row(std::size_t j) const {
    float best = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < cost_.rows; ++i)
        best = std::min(best, scale_ * cost_.row(i)[j] - row_potential(i));
    return best;
}

double Iteration::sweep(bool count_partners) {
    const std::size_t columns = cost_.padded_cols;
    core::ParallelError failure;
#pragma omp parallel if (cost_.rows * columns > serial_size)
    {
        linalg::AlignedVector<float> kernel;
#pragma omp for schedule(dynamic)
        for (std::size_t block = 0; block < row_blocks; ++block) {
            failure.run([&] {
                kernel.resize(sinkhorn_batch * columns);
                update_rows(block, count_partners, kernel.data());
            });
        }
    }
    failure.rethrow();
    for (std::size_t block = 1; block < row_blocks; ++block)
        add(sums_.data() + block * columns, columns, sums_.data());
    double error = 0;
    g_moved_ = 0;
    for (std::size_t j = 0; j < cost_.cols; ++j) {
        if (b_[j] <= 0) {
            error += sums_[j];
            continue;
        }
        const float before = g_[j];
        if (col_step_ < 1) {
            const float log_b = std::log2(b_[j]);
            const float full = sums_[j] > smallest_sum ? before - std::log2(sums_[j]) : cheapest_row(j);
            const float step_of_g = col_step_ * full + log_b - before;
            error += std::fabs(sums_[j] * (std::exp2(step_of_g) - 1));
            g_[j] += relaxation_ * step_of_g;
        } else {
            error += std::fabs(sums_[j] - b_[j]);
            if (sums_[j] > smallest_sum) {
                g_[j] += relaxation_ * (std::log2(b_[j]) - std::log2(sums_[j]));
            } else {
                g_[j] = cheapest_row(j);
            }
        }
        g_moved_ = std::max(g_moved_, std::fabs(g_[j] - before));
    }
    return error;
}

double Iteration::partners() const {
    const std::size_t rows = std::accumulate(counted_.begin(), counted_.end(), std::size_t{0});
    return rows == 0 ? 0 : std::accumulate(spread_.begin(), spread_.end(), 0.0) / static_cast<double>(rows);
}

Potentials Iteration::potentials() const {
    const double unit = epsilon_ / log2_e;
    Potentials result{std::vector<double>(cost_.rows), std::vector<double>(cost_.cols)};
    for (std::size_t i = 0; i < f_.size(); ++i) result.f[i] = row_potential(i) * unit;
    for (std::size_t j = 0; j < result.g.size(); ++j) {
        // A column without weight bears no mass: its potential is the highest that leaves its arcs feasible.
        const float g = b_[j] > 0 ? g_[j] - std::log2(b_[j]) : cheapest_row(j);
        result.g[j] = g * unit;
    }
    return result;
}

void Iteration::add_values(SinkhornResult& result) const {
    const std::size_t n = cost_.rows;
    const double unit = epsilon_ / log2_e;
    const double offset = cost_.offset / epsilon_;
    // Natural logarithms; g_j / eps + log b_j.
    linalg::AlignedVector<double> exponents(cost_.padded_cols, no_weight);
    for (std::size_t j = 0; j < cost_.cols; ++j) exponents[j] = static_cast<double>(g_[j]) / log2_e;
    std::vector<double> f(n);
    std::vector<double> mass(n);
    std::vector<double> moved(n);
    const double row_step = std::isinf(rho_rows_) ? 1 : rho_rows_ / (rho_rows_ + epsilon_);
#pragma omp parallel for schedule(static) if (n * cost_.padded_cols > serial_size)
    for (std::size_t i = 0; i < n; ++i) {
        const RowValues row = values_of_row(cost_.row(i), exponents.data(), 1 / epsilon_, cost_.padded_cols);
        const double log_sum = row.highest + std::log(row.sum) - offset;
        f[i] = -row_step * log_sum;
        mass[i] = a_[i] * std::exp(f[i] + log_sum);
        moved[i] = mass[i] * (row.cost / row.sum + cost_.offset);
    }
    double value = 0;
    for (std::size_t i = 0; i < n; ++i) {
        result.mass += mass[i];
        result.transport_cost += moved[i];
        value += a_[i] * dual_of(f[i] * epsilon_, rho_rows_);
    }
    for (std::size_t j = 0; j < cost_.cols; ++j) {
        if (b_[j] <= 0) continue;
        value += b_[j] * dual_of((static_cast<double>(g_[j]) - std::log2(static_cast<double>(b_[j]))) * unit,
                                 rho_cols_);
    }
    double total_a = 0;
    double total_b = 0;
    for (const float w : a_) total_a += w;
    for (const float w : b_) total_b += w;
    result.value = value - epsilon_ * (result.mass - total_a * total_b);
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
    if (options.tolerance > 0 && !options.may_stop_short && !(result.marginal_error <= options.tolerance)) {
        throw core::NumericalError("ot.sinkhorn", "after " + std::to_string(result.sweeps) +
                                                      " sweeps the marginals still change by " +
                                                      std::to_string(result.marginal_error));
    }
    if (options.values) iteration.add_values(result);
    result.partners = iteration.partners();
    result.potentials = iteration.potentials();
    return result;
}

SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start) {
    Potentials scaled;
    if (start != nullptr) {
        scaled = *start;
        for (double& f : scaled.f) f = (f - cost.offset()) / cost.unit();
        for (double& g : scaled.g) g /= cost.unit();
    }
    SinkhornResult result = sinkhorn(cost.fp32(), a, b, options, start == nullptr ? nullptr : &scaled);
    for (double& f : result.potentials.f) f = f * cost.unit() + cost.offset();
    for (double& g : result.potentials.g) g *= cost.unit();
    result.value *= cost.unit();
    result.transport_cost *= cost.unit();
    return result;
}

}  // namespace popflow::ot
