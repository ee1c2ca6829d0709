// SPDX-License-Identifier: MIT
#include "linalg/leaky_relu.hpp"

#include "core/simd.hpp"

namespace popflow::linalg {

namespace {

constexpr float negative_slope = static_cast<float>(leaky_relu_slope);

POPFLOW_SIMD void leaky_row(const float* x, const float* bias, float* z, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const float v = x[j] + bias[j];
        z[j] = v > 0 ? v : negative_slope * v;
    }
}

POPFLOW_SIMD void leaky_row(const float* x, const float* bias, bfloat16* z, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const float v = x[j] + bias[j];
        z[j] = to_bfloat16(v > 0 ? v : negative_slope * v);
    }
}

POPFLOW_SIMD void leaky_backward_row(const float* z, const float* dx, float* dz, float* sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        dz[j] = z[j] > 0 ? dx[j] : negative_slope * dx[j];
        sums[j] += dz[j];
    }
}

POPFLOW_SIMD void leaky_backward_row(const bfloat16* z, const float* dx, bfloat16* dz, float* sums,
                                     std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const float d = to_float(z[j]) > 0 ? dx[j] : negative_slope * dx[j];
        dz[j] = to_bfloat16(d);
        sums[j] += d;
    }
}

POPFLOW_SIMD void copy_and_sum_row(const float* x, float* out, float* sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        out[j] = x[j];
        sums[j] += x[j];
    }
}

POPFLOW_SIMD void copy_and_sum_row(const float* x, bfloat16* out, float* sums, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        out[j] = to_bfloat16(x[j]);
        sums[j] += x[j];
    }
}

POPFLOW_SIMD void add_bias_row(const float* x, const float* bias, float* out, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) out[j] = x[j] + bias[j];
}

POPFLOW_SIMD void add_bias_row(const float* x, const float* bias, bfloat16* out, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) out[j] = to_bfloat16(x[j] + bias[j]);
}

// Versions in double are the reference for gradient checks.
void leaky_row(const double* x, const double* bias, double* z, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        const double v = x[j] + bias[j];
        z[j] = v > 0 ? v : leaky_relu_slope * v;
    }
}

void leaky_backward_row(const double* z, const double* dx, double* dz, double* sums, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        dz[j] = z[j] > 0 ? dx[j] : leaky_relu_slope * dx[j];
        sums[j] += dz[j];
    }
}

void copy_and_sum_row(const double* x, double* out, double* sums, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        out[j] = x[j];
        sums[j] += x[j];
    }
}

void add_bias_row(const double* x, const double* bias, double* out, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) out[j] = x[j] + bias[j];
}

}  // namespace

template <class T>
void leaky_relu_forward(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                        MatrixView<T> z) {
    core::check_shape("leaky_relu.bias", 1, bias.size(), 1, x.cols);
    core::check_shape("leaky_relu.z", z.rows, z.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) leaky_row(x.row(i), bias.data(), z.row(i), x.cols);
}

template <class T>
void leaky_relu_backward(ConstMatrixView<T> z, ConstMatrixView<accumulator_t<T>> dx, MatrixView<T> dz,
                         std::span<accumulator_t<T>> sums) {
    core::check_shape("leaky_relu.dx", dx.rows, dx.cols, z.rows, z.cols);
    core::check_shape("leaky_relu.dz", dz.rows, dz.cols, z.rows, z.cols);
    core::check_shape("leaky_relu.sums", 1, sums.size(), 1, z.cols);
    for (std::size_t i = 0; i < z.rows; ++i) {
        leaky_backward_row(z.row(i), dx.row(i), dz.row(i), sums.data(), z.cols);
    }
}

template <class T>
void round_and_sum_rows(ConstMatrixView<accumulator_t<T>> x, MatrixView<T> out,
                        std::span<accumulator_t<T>> sums) {
    core::check_shape("round_and_sum.out", out.rows, out.cols, x.rows, x.cols);
    core::check_shape("round_and_sum.sums", 1, sums.size(), 1, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) copy_and_sum_row(x.row(i), out.row(i), sums.data(), x.cols);
}

template <class T>
void add_bias_and_round_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                             MatrixView<T> out) {
    core::check_shape("add_bias_and_round.bias", 1, bias.size(), 1, x.cols);
    core::check_shape("add_bias_and_round.out", out.rows, out.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) add_bias_row(x.row(i), bias.data(), out.row(i), x.cols);
}

#define POPFLOW_INSTANTIATE(T, Real)                                                               \
    template void leaky_relu_forward(ConstMatrixView<Real>, std::span<const Real>, MatrixView<T>); \
    template void leaky_relu_backward(ConstMatrixView<T>, ConstMatrixView<Real>, MatrixView<T>,    \
                                      std::span<Real>);                                            \
    template void round_and_sum_rows(ConstMatrixView<Real>, MatrixView<T>, std::span<Real>);       \
    template void add_bias_and_round_rows(ConstMatrixView<Real>, std::span<const Real>, MatrixView<T>);
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::linalg
