// SPDX-License-Identifier: MIT
#include "ot/gibbs_rows.hpp"

#include <limits>

#include "core/simd.hpp"
#include "ot/exponential.hpp"

namespace popflow::ot {

POPFLOW_SIMD double dot_row(const double* x, const double* y, std::size_t columns) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns; ++j) sum += x[j] * y[j];
    return sum;
}

POPFLOW_SIMD void add_row(double weight, const double* x, std::size_t columns, double* sums) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) sums[j] += weight * x[j];
}

POPFLOW_SIMD double max_row_exponent(const double* c, const double* exponents, double scale,
                                     std::size_t columns) {
    double highest = -std::numeric_limits<double>::max();
#pragma omp simd reduction(max : highest)
    for (std::size_t j = 0; j < columns; ++j) {
        const double u = exponents[j] - scale * c[j];
        highest = u > highest ? u : highest;
    }
    return highest;
}

namespace {

// Returns e^x for x <= 0, or 0 below e^-700.
[[gnu::always_inline]] inline double exp_or_zero(double x) {
    const bool is_in_range = x > -700;
    const double e = exp_of_negative(is_in_range ? (x < 0 ? x : 0) : -700);
    return is_in_range ? e : 0;
}

}  // namespace

POPFLOW_SIMD void exponentiate_row(const double* c, const double* exponents, double scale, double highest,
                                   std::size_t columns, double* kernel) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        kernel[j] = exp_or_zero(exponents[j] - scale * c[j] - highest);
    }
}

POPFLOW_SIMD double gather_row(const double* shared, const std::uint32_t* cols, const double* weights,
                               std::size_t columns, double* kernel) {
    double highest = 0;
#pragma omp simd reduction(max : highest)
    for (std::size_t j = 0; j < columns; ++j) {
        const double v = shared[cols[j]] * weights[j];
        kernel[j] = v;
        highest = v > highest ? v : highest;
    }
    return highest;
}

POPFLOW_SIMD void scale_row(double factor, std::size_t columns, double* x) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) x[j] *= factor;
}

POPFLOW_SIMD void raise_to_row(const double* c, double shift, double scale, std::size_t columns,
                               double* highest) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        const double u = shift - scale * c[j];
        highest[j] = u > highest[j] ? u : highest[j];
    }
}

POPFLOW_SIMD void exponentiate_below(const double* c, double shift, double scale, const double* highest,
                                     std::size_t columns, double* kernel, double* sums) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        const double e = exp_or_zero(shift - scale * c[j] - highest[j]);
        kernel[j] = e;
        sums[j] += e;
    }
}

POPFLOW_SIMD double not_finite(const double* c, std::size_t columns) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns; ++j) sum += c[j] * 0.0;
    return sum;
}

POPFLOW_SIMD PlanRow compute_plan_row(const double* c, const double* exponents, double scale, double highest,
                                      double factor, std::size_t columns, double* p, double* sums) {
    double mass = 0;
    double cost = 0;
#pragma omp simd reduction(+ : mass, cost)
    for (std::size_t j = 0; j < columns; ++j) {
        const double q = factor * exp_or_zero(exponents[j] - scale * c[j] - highest);
        p[j] = q;
        sums[j] += q;
        mass += q;
        cost += q * c[j];
    }
    return {mass, cost};
}

POPFLOW_SIMD void scale_plan_row(double factor, std::size_t columns, double* p, double* sums) {
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        p[j] *= factor;
        sums[j] += p[j];
    }
}

POPFLOW_SIMD double scale_columns_of_row(const double* factors, std::size_t columns, double* p) {
    double mass = 0;
#pragma omp simd reduction(+ : mass)
    for (std::size_t j = 0; j < columns; ++j) {
        p[j] *= factors[j];
        mass += p[j];
    }
    return mass;
}

POPFLOW_SIMD double objective_of_row(const double* c, const double* p, double share, const double* missing,
                                     double weight, const double* weights, double epsilon,
                                     std::size_t columns) {
    double objective = 0;
#pragma omp simd reduction(+ : objective)
    for (std::size_t j = 0; j < columns; ++j) {
        const double q = p[j] + share * missing[j];
        const double ratio = q / weights[j] / weight;
        const bool is_counted = ratio >= 1e-300;
        const double term = q * (c[j] + epsilon * log_of_normal(is_counted ? ratio : 1));
        objective += is_counted ? term : 0;
    }
    return objective;
}

POPFLOW_SIMD void dot_rows(KernelBatch& batch, const double* y, std::size_t columns) {
    const double* r0 = batch.rows[0];
    const double* r1 = batch.rows[1];
    const double* r2 = batch.rows[2];
    const double* r3 = batch.rows[3];
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
    for (std::size_t j = 0; j < columns; ++j) {
        sum0 += r0[j] * y[j];
        sum1 += r1[j] * y[j];
        sum2 += r2[j] * y[j];
        sum3 += r3[j] * y[j];
    }
    batch.sums = {sum0, sum1, sum2, sum3};
}

POPFLOW_SIMD void add_rows(const KernelBatch& batch, std::size_t columns, double* sums) {
    const double* r0 = batch.rows[0];
    const double* r1 = batch.rows[1];
    const double* r2 = batch.rows[2];
    const double* r3 = batch.rows[3];
    const double w0 = batch.weights[0];
    const double w1 = batch.weights[1];
    const double w2 = batch.weights[2];
    const double w3 = batch.weights[3];
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
        sums[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j]);
    }
}

}  // namespace popflow::ot
