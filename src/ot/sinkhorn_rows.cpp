// SPDX-License-Identifier: MIT
#include "ot/sinkhorn_rows.hpp"

#include <bit>
#include <cstdint>
#include <limits>

#include "core/simd.hpp"
#include "ot/exponential.hpp"

namespace popflow::ot {

namespace {

// Returns 2^x for x < 127 with a relative error of at most 2e-6. Results below 2^-126 become about 1e-38.
[[gnu::always_inline]] inline float exp2_of_exponent(float x) {
    x = x < -126.0F ? -126.0F : x;
    constexpr float round_to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
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

}  // namespace

POPFLOW_SIMD void exponentiate_rows(RowBatch& rows, const float* g, float scale, std::size_t columns,
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

POPFLOW_SIMD float max_exponent(const float* c, const float* g, float scale, std::size_t columns) {
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

namespace {

// Returns max_j exponents_j - c_j / eps.
[[gnu::always_inline]] inline double highest_exponent(const float* c, const double* exponents,
                                                      double inverse_epsilon, std::size_t columns) {
    double highest = -std::numeric_limits<double>::max();
#pragma omp simd reduction(max : highest)
    for (std::size_t j = 0; j < columns; ++j) {
        const double u = exponents[j] - inverse_epsilon * static_cast<double>(c[j]);
        highest = u > highest ? u : highest;
    }
    return highest;
}

}  // namespace

POPFLOW_SIMD RowValues row_weights(const float* c, const double* exponents, double inverse_epsilon,
                                   std::size_t columns, double* weights) {
    const double highest = highest_exponent(c, exponents, inverse_epsilon, columns);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < columns; ++j) {
        double u = exponents[j] - inverse_epsilon * static_cast<double>(c[j]) - highest;
        const bool is_in_range = u > -700;
        u = is_in_range ? u : -700;
        weights[j] = is_in_range ? exp_of_negative(u) : 0;
        sum += weights[j];
    }
    return {highest, sum, 0};
}

POPFLOW_SIMD RowValues row_values(const float* c, const double* exponents, double inverse_epsilon,
                                  std::size_t columns) {
    const double highest = highest_exponent(c, exponents, inverse_epsilon, columns);
    double sum = 0;
    double cost = 0;
#pragma omp simd reduction(+ : sum, cost)
    for (std::size_t j = 0; j < columns; ++j) {
        double u = exponents[j] - inverse_epsilon * static_cast<double>(c[j]) - highest;
        const bool is_in_range = u > -700;
        u = is_in_range ? u : -700;
        const double e = is_in_range ? exp_of_negative(u) : 0;
        sum += e;
        cost += e * static_cast<double>(is_in_range ? c[j] : 0);
    }
    return {highest, sum, cost};
}

}  // namespace popflow::ot
