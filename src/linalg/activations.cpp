// SPDX-License-Identifier: MIT
#include "linalg/activations.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "linalg/dispatch.hpp"

namespace popflow::linalg {

namespace {

constexpr float selu_scale = static_cast<float>(selu_lambda);
constexpr float selu_floor = static_cast<float>(selu_lambda * selu_alpha);

// Adding this makes a float below 2^22 lose its fraction: rounding to the nearest integer without a call.
constexpr float round_shift = 12582912.0F;  // 1.5 * 2^23

// e^x for x <= 0, relative error below 2e-7: x = k ln 2 + r, a polynomial in r, then k into the exponent.
inline float exp_negative(float x) {
    x = x < -87.0F ? -87.0F : x;
    const float k = (x * 1.44269504088896341F + round_shift) - round_shift;
    const float r = (x - k * 0.693359375F) + k * 2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = (p * r * r + r) + 1.0F;
    const auto exponent = static_cast<std::int32_t>(k) + 127;
    return p * std::bit_cast<float>(exponent << 23);
}

inline float selu(float x) {
    return x > 0 ? selu_scale * x : selu_floor * exp_negative(x) - selu_floor;
}

POPFLOW_SIMD void selu_row(float* z, const float* bias, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) z[j] = selu(z[j] + bias[j]);
}

POPFLOW_SIMD void selu_skip_row(float* z, const float* bias, const float* skip, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) z[j] = selu(z[j] + bias[j] + skip[j]);
}

POPFLOW_SIMD void selu_backward_row(const float* z, float* dz, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) dz[j] *= z[j] > 0 ? selu_scale : z[j] + selu_floor;
}

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

// sin and cos by reduction to [-pi/4, pi/4] with pi/2 in three parts, then two polynomials and a swap by
// quadrant.
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

// Double: the reference that gradient checks use.
void selu_row(double* z, const double* bias, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        const double x = z[j] + bias[j];
        z[j] = x > 0 ? selu_lambda * x : selu_lambda * selu_alpha * std::expm1(x);
    }
}

void selu_skip_row(double* z, const double* bias, const double* skip, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) z[j] += skip[j];
    selu_row(z, bias, n);
}

void selu_backward_row(const double* z, double* dz, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) dz[j] *= z[j] > 0 ? selu_lambda : z[j] + selu_lambda * selu_alpha;
}

void relu_row(double* z, const double* bias, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) z[j] = std::max(z[j] + bias[j], 0.0);
}

void relu_backward_row(const double* z, double* dz, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) dz[j] = z[j] > 0 ? dz[j] : 0.0;
}

void add_row(const double* x, double* sum, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) sum[j] += x[j];
}

// Below this many elements a pass is quicker on one thread than handed to several.
constexpr std::size_t parallel_elements = 1U << 14U;

template <class Pass>
void for_rows(std::size_t rows, std::size_t cols, Pass pass) {
#pragma omp parallel for schedule(static) if (rows * cols > parallel_elements)
    for (std::size_t i = 0; i < rows; ++i) pass(i);
}

template <class Real>
void selu_forward_rows(MatrixView<Real> z, std::span<const Real> bias, ConstMatrixView<Real> skip) {
    core::check_shape("selu.bias", 1, bias.size(), 1, z.cols);
    if (skip.data == nullptr) {
        for_rows(z.rows, z.cols, [&](std::size_t i) { selu_row(z.row(i), bias.data(), z.cols); });
    } else {
        core::check_shape("selu.skip", skip.rows, skip.cols, z.rows, z.cols);
        for_rows(z.rows, z.cols,
                 [&](std::size_t i) { selu_skip_row(z.row(i), bias.data(), skip.row(i), z.cols); });
    }
}

template <class Real>
void column_sums(ConstMatrixView<Real> x, std::span<Real> sum) {
    core::check_shape("column_sums.sum", 1, sum.size(), 1, x.cols);
    constexpr std::size_t width =
        64;  // each thread takes whole columns, so that the order over rows is fixed
    const std::size_t blocks = (x.cols + width - 1) / width;
#pragma omp parallel for schedule(static) if (x.rows * x.cols > parallel_elements)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t first = block * width;
        const std::size_t count = std::min(width, x.cols - first);
        for (std::size_t i = 0; i < x.rows; ++i) add_row(x.row(i) + first, sum.data() + first, count);
    }
}

}  // namespace

void selu_forward(MatrixView<float> z, std::span<const float> bias, ConstMatrixView<float> skip) {
    selu_forward_rows(z, bias, skip);
}

void selu_forward(MatrixView<double> z, std::span<const double> bias, ConstMatrixView<double> skip) {
    selu_forward_rows(z, bias, skip);
}

void selu_backward(ConstMatrixView<float> z, MatrixView<float> dz) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { selu_backward_row(z.row(i), dz.row(i), z.cols); });
}

void selu_backward(ConstMatrixView<double> z, MatrixView<double> dz) {
    for_rows(z.rows, z.cols, [&](std::size_t i) { selu_backward_row(z.row(i), dz.row(i), z.cols); });
}

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
