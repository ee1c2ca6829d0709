// SPDX-License-Identifier: MIT
#include "nn/linear.hpp"

#include <cmath>

#include "core/random.hpp"
#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"

namespace popflow::nn {

namespace {

// Fills `values` with uniform numbers in +-bound.
void fill_symmetric(std::span<float> values, double bound, std::uint64_t seed, std::uint64_t offset) {
    core::Stream stream(seed, core::Purpose::weights, offset);
    for (float& v : values) v = static_cast<float>(bound * (2 * stream.uniform() - 1));
}

}  // namespace

Linear::Linear(ParameterLayout& layout, const std::string& name, std::size_t in, std::size_t out)
    : weight_(layout.add(name + ".weight", out, in)), bias_(layout.add(name + ".bias", 1, out)) {}

void Linear::initialise_uniform(std::span<float> values, std::uint64_t seed) const {
    const double bound = 1 / std::sqrt(static_cast<double>(in()));
    fill_symmetric(elements_of(values, weight_), bound, seed, weight_.offset);
    fill_symmetric(elements_of(values, bias_), bound, seed, bias_.offset);
}

void Linear::initialise_glorot(std::span<float> values, std::uint64_t seed) const {
    fill_symmetric(elements_of(values, weight_), std::sqrt(6.0 / static_cast<double>(in() + out())), seed,
                   weight_.offset);
    std::ranges::fill(elements_of(values, bias_), 0.0F);
}

template <class Real>
void Linear::multiply(std::span<const Real> values, linalg::ConstMatrixView<Real> x,
                      linalg::MatrixView<Real> y) const {
    linalg::gemm(false, true, Real{1}, x, matrix_of(values, weight_), Real{0}, y);
}

template <class Real>
void Linear::accumulate_gradient(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> dy,
                                 std::span<Real> gradients) const {
    // y = x W^T + b
    linalg::gemm(true, false, Real{1}, dy, x, Real{1}, matrix_of(gradients, weight_));
    linalg::add_column_sums(dy, elements_of(gradients, bias_));
}

template <class Real>
void Linear::input_gradient(std::span<const Real> values, linalg::ConstMatrixView<Real> dy, Real beta,
                            linalg::MatrixView<Real> dx) const {
    linalg::gemm(false, false, Real{1}, dy, matrix_of(values, weight_), beta, dx);
}

template void Linear::multiply(std::span<const float>, linalg::ConstMatrixView<float>,
                               linalg::MatrixView<float>) const;
template void Linear::multiply(std::span<const double>, linalg::ConstMatrixView<double>,
                               linalg::MatrixView<double>) const;
template void Linear::accumulate_gradient(linalg::ConstMatrixView<float>, linalg::ConstMatrixView<float>,
                                          std::span<float>) const;
template void Linear::accumulate_gradient(linalg::ConstMatrixView<double>, linalg::ConstMatrixView<double>,
                                          std::span<double>) const;
template void Linear::input_gradient(std::span<const float>, linalg::ConstMatrixView<float>, float,
                                     linalg::MatrixView<float>) const;
template void Linear::input_gradient(std::span<const double>, linalg::ConstMatrixView<double>, double,
                                     linalg::MatrixView<double>) const;

}  // namespace popflow::nn
