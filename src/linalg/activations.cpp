// SPDX-License-Identifier: MIT
#include "linalg/activations.hpp"

#include <cmath>
#include <cstdint>

#include "core/simd.hpp"
#include "linalg/exponential.hpp"

namespace popflow::linalg {

namespace {

POPFLOW_SIMD void relu_row(float* z, const float* bias, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) z[j] = z[j] + bias[j] > 0 ? z[j] + bias[j] : 0.0F;
}

POPFLOW_SIMD void relu_backward_row(const float* z, float* dz, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) dz[j] = z[j] > 0 ? dz[j] : 0.0F;
}

POPFLOW_SIMD void add_row(const float* x, float* sum, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) sum[j] += x[j];
}

POPFLOW_SIMD float dot_row(const float* x, const float* y, std::size_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = 0; j < n; ++j) sum += x[j] * y[j];
    return sum;
}

POPFLOW_SIMD void add_scaled_row(float a, const float* x, float* y, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) y[j] += a * x[j];
}

// Computes sine and cosine. Reduces x to [-pi/4, pi/4] with pi/2 split into three constants (Cody and Waite),
// evaluates two polynomials and swaps them by quadrant. Constants: sinf and cosf of Cephes.
POPFLOW_SIMD void sincos_row(const float* x, float* cosine, float* sine, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const float k = (x[j] * 0.636619772367581343F + round_shift) - round_shift;
        const float r =
            ((x[j] - k * 1.5703125F) - k * 4.837512969970703125e-4F) - k * 7.54978995489188216e-8F;
        const float s = r * r;
        const float sin_r = ((-1.9515295891e-4F * s + 8.3321608736e-3F) * s - 1.6666654611e-1F) * s * r + r;
        const float cos_r =
            ((2.443315711809948e-5F * s - 1.388731625493765e-3F) * s + 4.166664568298827e-2F) * s * s -
            0.5F * s + 1.0F;
        const auto quadrant = static_cast<std::int32_t>(k) & 3;
        const float sin_q = (quadrant & 1) != 0 ? cos_r : sin_r;
        const float cos_q = (quadrant & 1) != 0 ? sin_r : cos_r;
        sine[j] = (quadrant & 2) != 0 ? -sin_q : sin_q;
        cosine[j] = ((quadrant + 1) & 2) != 0 ? -cos_q : cos_q;
    }
}

// Versions in double are the reference for gradient checks.
void relu_row(double* z, const double* bias, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) z[j] = std::max(z[j] + bias[j], 0.0);
}

void relu_backward_row(const double* z, double* dz, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) dz[j] = z[j] > 0 ? dz[j] : 0.0;
}

void add_row(const double* x, double* sum, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) sum[j] += x[j];
}

// Number of elements up to which one thread is faster than starting several.
constexpr std::size_t parallel_elements = 1U << 14U;

template <class Pass>
void for_rows(std::size_t rows, std::size_t cols, Pass pass) {
#pragma omp parallel for schedule(static) if (rows * cols > parallel_elements)
    for (std::size_t i = 0; i < rows; ++i) pass(i);
}

template <class Real>
void column_sums(ConstMatrixView<Real> x, std::span<Real> sum) {
    core::check_shape("column_sums.sum", 1, sum.size(), 1, x.cols);
    // Each thread takes blocks of whole columns, so that the order of summation over rows is fixed.
    constexpr std::size_t width = 64;
    const std::size_t blocks = (x.cols + width - 1) / width;
#pragma omp parallel for schedule(static) if (x.rows * x.cols > parallel_elements)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t first = block * width;
        const std::size_t count = std::min(width, x.cols - first);
        for (std::size_t i = 0; i < x.rows; ++i) add_row(x.row(i) + first, sum.data() + first, count);
    }
}

}  // namespace

void relu_forward(MatrixView<float> z, std::span<const float> bias) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { relu_row(z.row(i), bias.data(), z.cols); });
}

void relu_forward(MatrixView<double> z, std::span<const double> bias) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { relu_row(z.row(i), bias.data(), z.cols); });
}

void relu_backward(ConstMatrixView<float> z, MatrixView<float> dz) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { relu_backward_row(z.row(i), dz.row(i), z.cols); });
}

void relu_backward(ConstMatrixView<double> z, MatrixView<double> dz) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { relu_backward_row(z.row(i), dz.row(i), z.cols); });
}

void add_bias(MatrixView<float> z, std::span<const float> bias) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { add_row(bias.data(), z.row(i), z.cols); });
}

void add_bias(MatrixView<double> z, std::span<const double> bias) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { add_row(bias.data(), z.row(i), z.cols); });
}

void add_column_sums(ConstMatrixView<float> x, std::span<float> sum) {
    column_sums(x, sum);
}

void add_column_sums(ConstMatrixView<double> x, std::span<double> sum) {
    column_sums(x, sum);
}

float dot(std::span<const float> x, std::span<const float> y) {
    core::check_shape("dot.y", y.size(), 1, x.size(), 1);
    return dot_row(x.data(), y.data(), x.size());
}

double dot(std::span<const double> x, std::span<const double> y) {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) sum += x[j] * y[j];
    return sum;
}

void add_scaled(float a, std::span<const float> x, std::span<float> y) {
    add_scaled_row(a, x.data(), y.data(), x.size());
}

void add_scaled(double a, std::span<const double> x, std::span<double> y) {
    for (std::size_t j = 0; j < x.size(); ++j) y[j] += a * x[j];
}

void sincos(std::span<const float> x, std::span<float> cosine, std::span<float> sine) {
    sincos_row(x.data(), cosine.data(), sine.data(), x.size());
}

void sincos(std::span<const double> x, std::span<double> cosine, std::span<double> sine) {
    for (std::size_t j = 0; j < x.size(); ++j) {
        const double value = x[j];  // x may be one of the outputs
        cosine[j] = std::cos(value);
        sine[j] = std::sin(value);
    }
}

}  // namespace popflow::linalg
