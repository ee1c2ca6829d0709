// SPDX-License-Identifier: MIT
#include "linalg/normalise_rows.hpp"

#include <cmath>

#include "core/simd.hpp"

namespace popflow::linalg {

namespace {

// Number of partial sums of a row. They hide the latency of an addition.
constexpr std::size_t lanes = 32;

// Returns the sum of the partial sums, in a fixed order.
[[gnu::always_inline]] inline float total(float* partial) {
    for (std::size_t half = lanes / 2; half > 0; half /= 2) {
        for (std::size_t l = 0; l < half; ++l) partial[l] += partial[l + half];
    }
    return partial[0];
}

template <class T>
[[gnu::always_inline]] inline void normalise(const float* x, const float* shift, T* out, float& inverse,
                                             std::size_t n) {
    alignas(64) float partial[lanes] = {};
    std::size_t j = 0;
    for (; j + lanes <= n; j += lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) partial[l] += x[j + l] + shift[j + l];
    }
    for (std::size_t l = 0; j + l < n; ++l) partial[l] += x[j + l] + shift[j + l];
    const float mean = total(partial) / static_cast<float>(n);
    alignas(64) float squares[lanes] = {};
    for (j = 0; j + lanes <= n; j += lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) {
            const float v = x[j + l] + shift[j + l] - mean;
            squares[l] += v * v;
        }
    }
    for (std::size_t l = 0; j + l < n; ++l) {
        const float v = x[j + l] + shift[j + l] - mean;
        squares[l] += v * v;
    }
    const float variance = total(squares) / static_cast<float>(n);
    const float scale = 1.0F / std::sqrt(variance + static_cast<float>(normalisation_epsilon));
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) round_to((x[i] + shift[i] - mean) * scale, out[i]);
    inverse = scale;
}

template <class T>
[[gnu::always_inline]] inline void normalise_backward(const T* out, float inverse, const float* d, float* dx,
                                                      float* sums, std::size_t n) {
    alignas(64) float first[lanes] = {};
    alignas(64) float second[lanes] = {};
    std::size_t j = 0;
    for (; j + lanes <= n; j += lanes) {
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) {
            first[l] += d[j + l];
            second[l] += d[j + l] * real_of(out[j + l]);
        }
    }
    for (std::size_t l = 0; j + l < n; ++l) {
        first[l] += d[j + l];
        second[l] += d[j + l] * real_of(out[j + l]);
    }
    const float mean = total(first) / static_cast<float>(n);
    const float slope = total(second) / static_cast<float>(n);
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
        const float g = inverse * (d[i] - mean - real_of(out[i]) * slope);
        dx[i] += g;
        sums[i] += g;
    }
}

POPFLOW_SIMD void normalise_row(const float* x, const float* shift, float* out, float& inverse,
                                std::size_t n) {
    normalise(x, shift, out, inverse, n);
}

POPFLOW_SIMD void normalise_row(const float* x, const float* shift, bfloat16* out, float& inverse,
                                std::size_t n) {
    normalise(x, shift, out, inverse, n);
}

POPFLOW_SIMD void backward_row(const float* out, float inverse, const float* d, float* dx, float* sums,
                               std::size_t n) {
    normalise_backward(out, inverse, d, dx, sums, n);
}

POPFLOW_SIMD void backward_row(const bfloat16* out, float inverse, const float* d, float* dx, float* sums,
                               std::size_t n) {
    normalise_backward(out, inverse, d, dx, sums, n);
}

// Versions in double are the reference for gradient checks.
void normalise_row(const double* x, const double* shift, double* out, double& inverse, std::size_t n) {
    const auto count = static_cast<double>(n);
    double mean = 0;
    for (std::size_t j = 0; j < n; ++j) mean += (x[j] + shift[j]) / count;
    double variance = 0;
    for (std::size_t j = 0; j < n; ++j) {
        const double v = x[j] + shift[j] - mean;
        variance += v * v / count;
    }
    inverse = 1 / std::sqrt(variance + normalisation_epsilon);
    for (std::size_t j = 0; j < n; ++j) out[j] = (x[j] + shift[j] - mean) * inverse;
}

void backward_row(const double* out, double inverse, const double* d, double* dx, double* sums,
                  std::size_t n) {
    const auto count = static_cast<double>(n);
    double mean = 0;
    double slope = 0;
    for (std::size_t j = 0; j < n; ++j) {
        mean += d[j] / count;
        slope += d[j] * out[j] / count;
    }
    for (std::size_t j = 0; j < n; ++j) {
        const double g = inverse * (d[j] - mean - out[j] * slope);
        dx[j] += g;
        sums[j] += g;
    }
}

}  // namespace

template <class T>
void normalise_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> shift,
                    MatrixView<T> out, std::span<accumulator_t<T>> inverse) {
    core::check_shape("normalise_rows.shift", 1, shift.size(), 1, x.cols);
    core::check_shape("normalise_rows.out", out.rows, out.cols, x.rows, x.cols);
    core::check_shape("normalise_rows.inverse", 1, inverse.size(), 1, x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) {
        normalise_row(x.row(i), shift.data(), out.row(i), inverse[i], x.cols);
    }
}

template <class T>
void normalise_rows_backward(ConstMatrixView<T> out, std::span<const accumulator_t<T>> inverse,
                             ConstMatrixView<accumulator_t<T>> d, MatrixView<accumulator_t<T>> dx,
                             std::span<accumulator_t<T>> sums) {
    core::check_shape("normalise_rows.inverse", 1, inverse.size(), 1, out.rows);
    core::check_shape("normalise_rows.d", d.rows, d.cols, out.rows, out.cols);
    core::check_shape("normalise_rows.dx", dx.rows, dx.cols, out.rows, out.cols);
    core::check_shape("normalise_rows.sums", 1, sums.size(), 1, out.cols);
    for (std::size_t i = 0; i < out.rows; ++i) {
        backward_row(out.row(i), inverse[i], d.row(i), dx.row(i), sums.data(), out.cols);
    }
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                        \
    template void normalise_rows(ConstMatrixView<Real>, std::span<const Real>, MatrixView<T>,               \
                                 std::span<Real>);                                                          \
    template void normalise_rows_backward(ConstMatrixView<T>, std::span<const Real>, ConstMatrixView<Real>, \
                                          MatrixView<Real>, std::span<Real>);
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::linalg
