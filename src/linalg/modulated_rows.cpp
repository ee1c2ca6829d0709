// SPDX-License-Identifier: MIT
#include "linalg/modulated_rows.hpp"

#include "core/simd.hpp"

namespace popflow::linalg {

namespace {

template <class T, class Real>
[[gnu::always_inline]] inline void modulate(const T* x, const Real* scale, const Real* shift, T* out,
                                            std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) round_to((1 + scale[j]) * real_of(x[j]) + shift[j], out[j]);
}

template <class T, class Real>
[[gnu::always_inline]] inline void modulate_backward(const T* x, const Real* scale, Real* d, Real* dscale,
                                                     Real* dshift, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        dscale[j] += d[j] * real_of(x[j]);
        dshift[j] += d[j];
        d[j] *= 1 + scale[j];
    }
}

template <class T, class Real>
[[gnu::always_inline]] inline void add_gated(const Real* x, const Real* bias, const Real* gate, T* u, Real* h,
                                             std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const Real v = x[j] + bias[j];
        round_to(v, u[j]);
        h[j] += (1 + gate[j]) * v;
    }
}

template <class T, class Real>
[[gnu::always_inline]] inline void gated_backward(const Real* dh, const Real* gate, const T* u, T* du,
                                                  Real* sums, Real* dgate, std::size_t n) {
#pragma omp simd
    for (std::size_t j = 0; j < n; ++j) {
        const Real d = (1 + gate[j]) * dh[j];
        dgate[j] += dh[j] * real_of(u[j]);
        sums[j] += d;
        round_to(d, du[j]);
    }
}

// One version of each loop for each type, because target_clones does not apply to templates.
#define POPFLOW_ROWS(T, Real)                                                                             \
    POPFLOW_SIMD void modulate_row(const T* x, const Real* scale, const Real* shift, T* out,              \
                                   std::size_t n) {                                                       \
        modulate(x, scale, shift, out, n);                                                                \
    }                                                                                                     \
    POPFLOW_SIMD void modulate_row_backward(const T* x, const Real* scale, Real* d, Real* dscale,         \
                                            Real* dshift, std::size_t n) {                                \
        modulate_backward(x, scale, d, dscale, dshift, n);                                                \
    }                                                                                                     \
    POPFLOW_SIMD void add_gated_row(const Real* x, const Real* bias, const Real* gate, T* u, Real* h,     \
                                    std::size_t n) {                                                      \
        add_gated(x, bias, gate, u, h, n);                                                                \
    }                                                                                                     \
    POPFLOW_SIMD void gated_row_backward(const Real* dh, const Real* gate, const T* u, T* du, Real* sums, \
                                         Real* dgate, std::size_t n) {                                    \
        gated_backward(dh, gate, u, du, sums, dgate, n);                                                  \
    }
POPFLOW_ROWS(float, float)
POPFLOW_ROWS(bfloat16, float)
POPFLOW_ROWS(double, double)
#undef POPFLOW_ROWS

}  // namespace

template <class T>
void modulate_rows(ConstMatrixView<T> x, std::span<const accumulator_t<T>> scale,
                   std::span<const accumulator_t<T>> shift, MatrixView<T> out) {
    core::check_shape("modulate_rows.scale", 1, scale.size(), 1, x.cols);
    core::check_shape("modulate_rows.shift", 1, shift.size(), 1, x.cols);
    core::check_shape("modulate_rows.out", out.rows, out.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i)
        modulate_row(x.row(i), scale.data(), shift.data(), out.row(i), x.cols);
}

template <class T>
void modulate_rows_backward(ConstMatrixView<T> x, std::span<const accumulator_t<T>> scale,
                            MatrixView<accumulator_t<T>> d, std::span<accumulator_t<T>> dscale,
                            std::span<accumulator_t<T>> dshift) {
    core::check_shape("modulate_rows_backward.scale", 1, scale.size(), 1, x.cols);
    core::check_shape("modulate_rows_backward.d", d.rows, d.cols, x.rows, x.cols);
    core::check_shape("modulate_rows_backward.dscale", 1, dscale.size(), 1, x.cols);
    core::check_shape("modulate_rows_backward.dshift", 1, dshift.size(), 1, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i)
        modulate_row_backward(x.row(i), scale.data(), d.row(i), dscale.data(), dshift.data(), x.cols);
}

template <class T>
void add_gated_rows(ConstMatrixView<accumulator_t<T>> x, std::span<const accumulator_t<T>> bias,
                    std::span<const accumulator_t<T>> gate, MatrixView<T> u, MatrixView<accumulator_t<T>> h) {
    core::check_shape("add_gated_rows.bias", 1, bias.size(), 1, x.cols);
    core::check_shape("add_gated_rows.gate", 1, gate.size(), 1, x.cols);
    core::check_shape("add_gated_rows.u", u.rows, u.cols, x.rows, x.cols);
    core::check_shape("add_gated_rows.h", h.rows, h.cols, x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i)
        add_gated_row(x.row(i), bias.data(), gate.data(), u.row(i), h.row(i), x.cols);
}

template <class T>
void gated_rows_backward(ConstMatrixView<accumulator_t<T>> dh, std::span<const accumulator_t<T>> gate,
                         ConstMatrixView<T> u, MatrixView<T> du, std::span<accumulator_t<T>> sums,
                         std::span<accumulator_t<T>> dgate) {
    core::check_shape("gated_rows_backward.gate", 1, gate.size(), 1, dh.cols);
    core::check_shape("gated_rows_backward.u", u.rows, u.cols, dh.rows, dh.cols);
    core::check_shape("gated_rows_backward.du", du.rows, du.cols, dh.rows, dh.cols);
    core::check_shape("gated_rows_backward.sums", 1, sums.size(), 1, dh.cols);
    core::check_shape("gated_rows_backward.dgate", 1, dgate.size(), 1, dh.cols);
    for (std::size_t i = 0; i < dh.rows; ++i) {
        gated_row_backward(dh.row(i), gate.data(), u.row(i), du.row(i), sums.data(), dgate.data(), dh.cols);
    }
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                    \
    template void modulate_rows(ConstMatrixView<T>, std::span<const Real>, std::span<const Real>,       \
                                MatrixView<T>);                                                         \
    template void modulate_rows_backward(ConstMatrixView<T>, std::span<const Real>, MatrixView<Real>,   \
                                         std::span<Real>, std::span<Real>);                             \
    template void add_gated_rows(ConstMatrixView<Real>, std::span<const Real>, std::span<const Real>,   \
                                 MatrixView<T>, MatrixView<Real>);                                      \
    template void gated_rows_backward(ConstMatrixView<Real>, std::span<const Real>, ConstMatrixView<T>, \
                                      MatrixView<T>, std::span<Real>, std::span<Real>);
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::linalg
