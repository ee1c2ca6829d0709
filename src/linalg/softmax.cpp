// SPDX-License-Identifier: MIT
#include "linalg/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/simd.hpp"
#include "linalg/exponential.hpp"

namespace popflow::linalg {

namespace {

// Number of partial results of a row. They hide the latency of an addition.
constexpr std::size_t lanes = 16;
constexpr float ln_2 = std::numbers::ln2_v<float>;

[[gnu::always_inline]] inline float larger(float x, float y) {
    return x > y ? x : y;
}

template <class T>
[[gnu::always_inline]] inline void running(const float* s, T* p, float& maximum, float& sum, float& factor,
                                           std::size_t n) {
    alignas(64) float largest[lanes];
    std::fill_n(largest, lanes, maximum);
    std::size_t j = 0;
    for (; j + lanes <= n; j += lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) largest[l] = larger(s[j + l], largest[l]);
    }
    for (std::size_t l = 0; j + l < n; ++l) largest[l] = larger(s[j + l], largest[l]);
    float m = maximum;
    for (std::size_t l = 0; l < lanes; ++l) m = larger(largest[l], m);
    alignas(64) float partial[lanes] = {};
    for (j = 0; j + lanes <= n; j += lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) {
            const float e = exp2_bounded(s[j + l] - m);
            partial[l] += e;
            round_to(e, p[j + l]);
        }
    }
    for (std::size_t l = 0; j + l < n; ++l) {
        const float e = exp2_bounded(s[j + l] - m);
        partial[l] += e;
        round_to(e, p[j + l]);
    }
    float block_sum = 0;
    for (std::size_t l = 0; l < lanes; ++l) block_sum += partial[l];
    factor = exp2_bounded(maximum - m);
    maximum = m;
    sum = factor * sum + block_sum;
}

template <class T>
[[gnu::always_inline]] inline void gradient(const float* s, const float* dp, float log_sum, float delta, T* p,
                                            T* ds, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const float e = exp2_bounded(s[j] - log_sum);
        round_to(ln_2 * e * (dp[j] - delta), ds[j]);
        round_to(e, p[j]);
    }
}

POPFLOW_SIMD void running_row(const float* s, float* p, float& maximum, float& sum, float& factor,
                              std::size_t n) {
    running(s, p, maximum, sum, factor, n);
}

POPFLOW_SIMD void running_row(const float* s, bfloat16* p, float& maximum, float& sum, float& factor,
                              std::size_t n) {
    running(s, p, maximum, sum, factor, n);
}

POPFLOW_SIMD void gradient_row(const float* s, const float* dp, float log_sum, float delta, float* p,
                               float* ds, std::size_t n) {
    gradient(s, dp, log_sum, delta, p, ds, n);
}

POPFLOW_SIMD void gradient_row(const float* s, const float* dp, float log_sum, float delta, bfloat16* p,
                               bfloat16* ds, std::size_t n) {
    gradient(s, dp, log_sum, delta, p, ds, n);
}

// Versions in double are the reference for gradient checks.
void running_row(const double* s, double* p, double& maximum, double& sum, double& factor, std::size_t n) {
    const double m = std::max(maximum, *std::max_element(s, s + n));
    double block_sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
        p[j] = std::exp2(s[j] - m);
        block_sum += p[j];
    }
    factor = std::exp2(maximum - m);
    maximum = m;
    sum = factor * sum + block_sum;
}

void gradient_row(const double* s, const double* dp, double log_sum, double delta, double* p, double* ds,
                  std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        p[j] = std::exp2(s[j] - log_sum);
        ds[j] = std::numbers::ln2 * p[j] * (dp[j] - delta);
    }
}

}  // namespace

template <class T>
void running_softmax(ConstMatrixView<accumulator_t<T>> s, MatrixView<T> p,
                     std::span<accumulator_t<T>> maximum, std::span<accumulator_t<T>> sum,
                     std::span<accumulator_t<T>> factor) {
    core::check_shape("softmax.p", p.rows, p.cols, s.rows, s.cols);
    core::check_shape("softmax.maximum", 1, maximum.size(), 1, s.rows);
    core::check_shape("softmax.sum", 1, sum.size(), 1, s.rows);
    core::check_shape("softmax.factor", 1, factor.size(), 1, s.rows);
    if (s.empty()) {
        std::ranges::fill(factor, accumulator_t<T>{1});
        return;
    }
    for (std::size_t i = 0; i < s.rows; ++i) {
        running_row(s.row(i), p.row(i), maximum[i], sum[i], factor[i], s.cols);
    }
}

template <class T>
void softmax_gradient(ConstMatrixView<accumulator_t<T>> s, ConstMatrixView<accumulator_t<T>> dp,
                      std::span<const accumulator_t<T>> log_sum, std::span<const accumulator_t<T>> delta,
                      MatrixView<T> p, MatrixView<T> ds) {
    core::check_shape("softmax.dp", dp.rows, dp.cols, s.rows, s.cols);
    core::check_shape("softmax.p", p.rows, p.cols, s.rows, s.cols);
    core::check_shape("softmax.ds", ds.rows, ds.cols, s.rows, s.cols);
    core::check_shape("softmax.log_sum", 1, log_sum.size(), 1, s.rows);
    core::check_shape("softmax.delta", 1, delta.size(), 1, s.rows);
    for (std::size_t i = 0; i < s.rows; ++i) {
        gradient_row(s.row(i), dp.row(i), log_sum[i], delta[i], p.row(i), ds.row(i), s.cols);
    }
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                      \
    template void running_softmax(ConstMatrixView<Real>, MatrixView<T>, std::span<Real>, std::span<Real>, \
                                  std::span<Real>);                                                       \
    template void softmax_gradient(ConstMatrixView<Real>, ConstMatrixView<Real>, std::span<const Real>,   \
                                   std::span<const Real>, MatrixView<T>, MatrixView<T>);
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::linalg
