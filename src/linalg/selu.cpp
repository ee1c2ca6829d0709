// SPDX-License-Identifier: MIT
#include "linalg/selu.hpp"

#include <cmath>

#include "core/simd.hpp"
#include "linalg/exponential.hpp"

namespace popflow::linalg {

namespace {

constexpr float scale = static_cast<float>(selu_lambda);
constexpr float floor_size = static_cast<float>(selu_lambda * selu_alpha);

inline float selu(float x) {
    return x > 0 ? scale * x : floor_size * exp_negative(x) - floor_size;
}

// Derivative of SELU as a function of its output.
inline float slope(float z) {
    return z > 0 ? scale : z + floor_size;
}

POPFLOW_SIMD void forward_row(float* x, const float* bias, float* z, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) z[j] = x[j] = selu(x[j] + bias[j]);
}

POPFLOW_SIMD void forward_row(float* x, const float* bias, bfloat16* z, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        x[j] = selu(x[j] + bias[j]);
        z[j] = to_bfloat16(x[j]);
    }
}

POPFLOW_SIMD void backward_row(const float* z, float* dx, float* dz, float* sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        dz[j] = dx[j] *= slope(z[j]);
        sums[j] += dx[j];
    }
}

POPFLOW_SIMD void backward_row(const bfloat16* z, float* dx, bfloat16* dz, float* sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        dx[j] *= slope(to_float(z[j]));
        dz[j] = to_bfloat16(dx[j]);
        sums[j] += dx[j];
    }
}

POPFLOW_SIMD void round_row(const float* x, bfloat16* out, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) out[j] = to_bfloat16(x[j]);
}

// Versions in double are the reference for gradient checks.
void forward_row(double* x, const double* bias, double* z, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        const double v = x[j] + bias[j];
        z[j] = x[j] = v > 0 ? selu_lambda * v : selu_lambda * selu_alpha * std::expm1(v);
    }
}

void backward_row(const double* z, double* dx, double* dz, double* sums, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        dz[j] = dx[j] *= z[j] > 0 ? selu_lambda : z[j] + selu_lambda * selu_alpha;
        sums[j] += dx[j];
    }
}

}  // namespace

template <class T>
void selu_forward(MatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias, MatrixView<T> z) {
    core::check_shape("selu.bias", 1, bias.size(), 1, x.cols);
    core::check_shape("selu.z", z.rows, z.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) forward_row(x.row(i), bias.data(), z.row(i), x.cols);
}

template <class T>
void selu_backward(ConstMatrixView<T> z, MatrixView<accumulator_t<T>> dx, MatrixView<T> dz,
                   std::span<accumulator_t<T>> sums) {
    core::check_shape("selu.dx", dx.rows, dx.cols, z.rows, z.cols);
    core::check_shape("selu.dz", dz.rows, dz.cols, z.rows, z.cols);
    core::check_shape("selu.sums", 1, sums.size(), 1, z.cols);
    for (std::size_t i = 0; i < z.rows; ++i) {
        backward_row(z.row(i), dx.row(i), dz.row(i), sums.data(), z.cols);
    }
}

void round_rows(ConstMatrixView<float> x, MatrixView<bfloat16> out) {
    core::check_shape("round_rows.out", out.rows, out.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) round_row(x.row(i), out.row(i), x.cols);
}

template void selu_forward(MatrixView<float>, std::span<const float>, MatrixView<float>);
template void selu_forward(MatrixView<float>, std::span<const float>, MatrixView<bfloat16>);
template void selu_forward(MatrixView<double>, std::span<const double>, MatrixView<double>);
template void selu_backward(ConstMatrixView<float>, MatrixView<float>, MatrixView<float>, std::span<float>);
template void selu_backward(ConstMatrixView<bfloat16>, MatrixView<float>, MatrixView<bfloat16>,
                            std::span<float>);
template void selu_backward(ConstMatrixView<double>, MatrixView<double>, MatrixView<double>,
                            std::span<double>);

}  // namespace popflow::linalg
