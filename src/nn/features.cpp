// SPDX-License-Identifier: MIT
#include "nn/features.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"

namespace popflow::nn {

template <class Real>
void time_frequencies(double highest, double max_period, std::span<Real> out) {
    const std::size_t m = out.size();
    for (std::size_t i = 0; i < m; ++i) {
        const double power = m > 1 ? static_cast<double>(i) / static_cast<double>(m - 1) : 0;
        out[i] = static_cast<Real>(highest * std::pow(max_period, -power));
    }
}

template <class Real>
void time_features(std::span<const Real> t, std::span<const Real> frequencies, linalg::MatrixView<Real> out) {
    const std::size_t m = frequencies.size();
    core::check_shape("time_features.out", out.rows, out.cols, t.size(), 2 * m);
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < t.size(); ++i) {
        Real* angle = out.row(i);
        for (std::size_t j = 0; j < m; ++j) angle[j] = t[i] * frequencies[j];
        linalg::sincos(std::span<const Real>(angle, m), {angle + m, m}, {angle, m});
    }
}

template <class Real>
void time_features(std::span<const Real> t, double highest, double max_period, linalg::MatrixView<Real> out) {
    core::check_shape("time_features.out", out.rows, out.cols % 2, t.size(), 0);
    std::vector<Real> frequencies(out.cols / 2);
    time_frequencies(highest, max_period, std::span<Real>(frequencies));
    time_features(t, std::span<const Real>(frequencies), out);
}

template <class Real>
void space_features(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> b,
                    linalg::MatrixView<Real> out) {
    core::check_shape("space_features.out", out.rows, out.cols, x.rows, 2 * b.cols);
    const std::size_t m = b.cols;
    linalg::gemm(false, false, static_cast<Real>(2 * std::numbers::pi), x, b, Real{0}, out.col_block(0, m));
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < x.rows; ++i) {
        Real* angle = out.row(i);
        linalg::sincos(std::span<const Real>(angle, m), {angle, m}, {angle + m, m});
    }
}

void draw_frequencies(core::Stream stream, double scale, linalg::MatrixView<float> b) {
    for (std::size_t i = 0; i < b.rows; ++i) {
        for (std::size_t j = 0; j < b.cols; ++j) b(i, j) = static_cast<float>(scale * stream.normal());
    }
}

template void time_frequencies(double, double, std::span<float>);
template void time_frequencies(double, double, std::span<double>);
template void time_features(std::span<const float>, std::span<const float>, linalg::MatrixView<float>);
template void time_features(std::span<const double>, std::span<const double>, linalg::MatrixView<double>);
template void time_features(std::span<const float>, double, double, linalg::MatrixView<float>);
template void time_features(std::span<const double>, double, double, linalg::MatrixView<double>);
template void space_features(linalg::ConstMatrixView<float>, linalg::ConstMatrixView<float>,
                             linalg::MatrixView<float>);
template void space_features(linalg::ConstMatrixView<double>, linalg::ConstMatrixView<double>,
                             linalg::MatrixView<double>);

}  // namespace popflow::nn
