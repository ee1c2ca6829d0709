// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "core/parallel_error.hpp"
#include "linalg/matrix.hpp"
#include "ot/sinkhorn_rows.hpp"

namespace popflow::ot {

namespace {

// Number of row blocks with separate column sums. The sums are added in block order. The number is fixed, not
// the number of threads, so that the result is deterministic.
constexpr std::size_t row_blocks = 32;
// Matrices with fewer elements run on one thread: starting a team costs more than it saves.
constexpr std::size_t serial_size = 1U << 20U;
constexpr float log2_e = 1.44269504F;
// Column sums below this count as underflown.
constexpr float min_sum = 1e-30F;
// Largest change of g, in base-2 logarithms, for which the last f still bounds the exponents. After a larger
// change their maximum is computed anew.
constexpr float safe_move = 60;
// Partners are counted in one of this number of row batches.
constexpr std::size_t partner_batch_stride = 4;
// Sentinel for the logarithm of a zero weight.
constexpr float log_zero = -1e4F;

std::vector<float> normalised(std::span<const double> weights, std::size_t count, const char* name) {
    if (weights.empty()) return std::vector<float>(count, 1.0F / static_cast<float>(count));
    core::check_shape(name, weights.size(), 1, count, 1);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<float> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<float>(weights[i] / total);
    return result;
}

// Returns the factor that damps the updates of a potential: rho / (rho + eps), or 1 for balanced transport.
float damping(double rho, double epsilon) {
    return std::isinf(rho) ? 1.0F : static_cast<float>(rho / (rho + epsilon));
}

// Returns the term of a potential in the dual value, per weight: -rho (e^(-f / rho) - 1), or f if rho is
// infinite.
double dual_term(double f, double rho) {
    return std::isinf(rho) ? f : -rho * std::expm1(-f / rho);
}

// State of the iteration. Potentials are in base-2 logarithms: exponents are
// log2(e) (g_j - c_ij) / eps + log2 b_j.
class Iteration {
  public:
    Iteration(const CostRows& cost, std::span<const double> a, std::span<const double> b,
              const SinkhornOptions& options, const Potentials* start);
    // Updates f and then g. Returns the 1-norm by which the update of g changes the column marginals.
    double sweep(bool count_partners);
    // Returns SinkhornResult::partners of the last sweep that counted them.
    double partners() const;
    // Returns the potentials in units of the matrix.
    Potentials potentials() const;
    // Fills value, transport cost and mass of the result, in units of the matrix.
    void add_values(SinkhornResult& result) const;

  private:
    void start_from_rows(std::span<const double> f);
    void update_rows(std::size_t block, bool count_partners, float* kernel);
    // Returns min_i c_ij - f_i, in base-2 logarithms.
    float c_transform(std::size_t j) const;
    // Returns f_i, damped for unbalanced transport, without the offset of the cost.
    float row_potential(std::size_t i) const {
        return row_damping_ < 1 ? row_damping_ * (f_[i] + offset_) - offset_ : f_[i];
    }

    CostRows cost_;
    std::vector<float> a_;
    std::vector<float> b_;
    double epsilon_;
    float scale_;
    float relaxation_;
    double rho_rows_;
    double rho_cols_;
    float row_damping_;  // rho / (rho + eps)
    float col_damping_;
    float offset_;                    // offset of the costs, without effect on the plan of balanced transport
    std::vector<float> f_;            // undamped, so that it bounds the exponents
    linalg::AlignedVector<float> g_;  // padded, includes log2 b_j
    linalg::AlignedVector<float> sums_;                  // row_blocks x padded columns
    std::vector<double> partner_sums_;                   // per block, summed over the counted rows
    std::vector<std::size_t> counted_rows_;              // per block
    float g_moved_ = std::numeric_limits<float>::max();  // largest change of g since f was computed
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
      row_damping_(damping(rho_rows_, epsilon_)),
      col_damping_(damping(rho_cols_, epsilon_)),
      offset_(static_cast<float>(cost.offset * log2_e / epsilon_)),
      f_(cost.rows),
      g_(cost.padded_cols, log_zero),
      sums_(row_blocks * cost.padded_cols),
      partner_sums_(row_blocks),
      counted_rows_(row_blocks) {
    const bool has_g = start != nullptr && !start->g.empty();
    if (has_g) core::check_shape("ot.sinkhorn.start.g", start->g.size(), 1, cost.cols, 1);
    for (std::size_t j = 0; j < cost.cols; ++j) {
        const double g = has_g ? start->g[j] : 0;
        g_[j] = static_cast<float>(g * log2_e / epsilon_) + (b_[j] > 0 ? std::log2(b_[j]) : log_zero);
    }
    if (start != nullptr && !has_g && !start->f.empty()) start_from_rows(start->f);
}

// Sets g to the update that follows from the given f.
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
            g_[j] = static_cast<float>(-col_damping_ * (highest[j] + std::log2(sum[j]))) + std::log2(b_[j]);
    }
}

void Iteration::update_rows(std::size_t block, bool count_partners, float* kernel) {
    const std::size_t columns = cost_.padded_cols;
    const std::size_t first = cost_.rows * block / row_blocks;
    const std::size_t last = cost_.rows * (block + 1) / row_blocks;
    float* sums = sums_.data() + block * columns;
    std::fill(sums, sums + columns, 0.0F);
    partner_sums_[block] = 0;
    counted_rows_[block] = 0;
    for (std::size_t i = first; i < last; i += sinkhorn_batch) {
        const std::size_t count = std::min(sinkhorn_batch, last - i);
        RowBatch rows{};
        for (std::size_t l = 0; l < sinkhorn_batch; ++l) {
            const std::size_t row = i + std::min(l, count - 1);  // an incomplete batch repeats its last row
            rows.cost[l] = cost_.row(row);
            rows.shift[l] =
                g_moved_ < safe_move ? f_[row] : -max_exponent(rows.cost[l], g_.data(), scale_, columns);
        }
        exponentiate_rows(rows, g_.data(), scale_, columns, kernel);
        const bool is_counted = count_partners && (i - first) / sinkhorn_batch % partner_batch_stride == 0;
        for (std::size_t l = 0; l < count; ++l) {
            f_[i + l] = rows.shift[l] - std::log2(rows.sum[l]);
            rows.factor[l] = a_[i + l] / rows.sum[l];
            // Unbalanced transport: the mass of the row differs from a_i.
            if (row_damping_ < 1) rows.factor[l] *= std::exp2((row_damping_ - 1) * (f_[i + l] + offset_));
            if (is_counted) {
                ++counted_rows_[block];
                partner_sums_[block] += static_cast<double>(rows.sum[l]) * rows.sum[l] /
                                        sum_of_squares(kernel + l * columns, columns);
            }
        }
        add_to_columns(rows, kernel, columns, sums);
    }
}

float Iteration::c_transform(std::size_t j) const {
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
        if (col_damping_ < 1) {
            const float log_b = std::log2(b_[j]);
            const float full = sums_[j] > min_sum ? before - std::log2(sums_[j]) : c_transform(j);
            const float g_step = col_damping_ * full + log_b - before;
            error += std::fabs(sums_[j] * (std::exp2(g_step) - 1));
            g_[j] += relaxation_ * g_step;
        } else {
            error += std::fabs(sums_[j] - b_[j]);
            if (sums_[j] > min_sum) {
                g_[j] += relaxation_ * (std::log2(b_[j]) - std::log2(sums_[j]));
            } else {
                g_[j] = c_transform(j);
            }
        }
        g_moved_ = std::max(g_moved_, std::fabs(g_[j] - before));
    }
    return error;
}

double Iteration::partners() const {
    const std::size_t rows = std::accumulate(counted_rows_.begin(), counted_rows_.end(), std::size_t{0});
    return rows == 0
               ? 0
               : std::accumulate(partner_sums_.begin(), partner_sums_.end(), 0.0) / static_cast<double>(rows);
}

Potentials Iteration::potentials() const {
    const double unit = epsilon_ / log2_e;
    Potentials result{std::vector<double>(cost_.rows), std::vector<double>(cost_.cols)};
    for (std::size_t i = 0; i < f_.size(); ++i) result.f[i] = row_potential(i) * unit;
    for (std::size_t j = 0; j < result.g.size(); ++j) {
        // A column without weight carries no mass. Its potential is the largest feasible one.
        const float g = b_[j] > 0 ? g_[j] - std::log2(b_[j]) : c_transform(j);
        result.g[j] = g * unit;
    }
    return result;
}

void Iteration::add_values(SinkhornResult& result) const {
    const std::size_t n = cost_.rows;
    const double unit = epsilon_ / log2_e;
    const double offset = cost_.offset / epsilon_;
    // g_j / eps + log b_j, in natural logarithms.
    linalg::AlignedVector<double> exponents(cost_.padded_cols, log_zero);
    for (std::size_t j = 0; j < cost_.cols; ++j) exponents[j] = static_cast<double>(g_[j]) / log2_e;
    std::vector<double> f(n);
    std::vector<double> mass(n);
    std::vector<double> moved(n);
    const double row_damping = std::isinf(rho_rows_) ? 1 : rho_rows_ / (rho_rows_ + epsilon_);
#pragma omp parallel for schedule(static) if (n * cost_.padded_cols > serial_size)
    for (std::size_t i = 0; i < n; ++i) {
        const RowValues row = row_values(cost_.row(i), exponents.data(), 1 / epsilon_, cost_.padded_cols);
        const double log_sum = row.highest + std::log(row.sum) - offset;
        f[i] = -row_damping * log_sum;
        mass[i] = a_[i] * std::exp(f[i] + log_sum);
        moved[i] = mass[i] * (row.cost / row.sum + cost_.offset);
    }
    double value = 0;
    for (std::size_t i = 0; i < n; ++i) {
        result.mass += mass[i];
        result.transport_cost += moved[i];
        value += a_[i] * dual_term(f[i] * epsilon_, rho_rows_);
    }
    for (std::size_t j = 0; j < cost_.cols; ++j) {
        if (b_[j] <= 0) continue;
        value +=
            b_[j] *
            dual_term((static_cast<double>(g_[j]) - std::log2(static_cast<double>(b_[j]))) * unit, rho_cols_);
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
        core::check_cancelled();
        result.marginal_error = iteration.sweep(options.count_partners);
        ++result.sweeps;
        if (!std::isfinite(result.marginal_error)) {
            throw core::NumericalError("ot.sinkhorn", "a potential is not finite");
        }
        if (result.marginal_error <= options.tolerance) break;
    }
    if (options.tolerance > 0 && !options.allow_unconverged &&
        !(result.marginal_error <= options.tolerance)) {
        throw core::NumericalError("ot.sinkhorn", "no convergence in " + std::to_string(result.sweeps) +
                                                      " sweeps: the last changed the marginals by " +
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
