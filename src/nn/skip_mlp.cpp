// SPDX-License-Identifier: MIT
#include "nn/skip_mlp.hpp"

#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::MatrixView;

SkipMlp::SkipMlp(ParameterLayout& layout, const std::string& name, const SkipMlpShape& shape)
    : shape_(shape), first_(layout, name + ".first", shape.inputs(), shape.hidden) {
    for (std::size_t l = 1; l < shape.layers; ++l) {
        hidden_.emplace_back(layout, name + ".hidden." + std::to_string(l - 1), shape.hidden, shape.hidden);
    }
    last_ = Linear(layout, name + ".last", shape.hidden, shape.outputs);
}

void SkipMlp::initialise(std::span<float> values, std::uint64_t seed) const {
    first_.initialise_uniform(values, seed);
    for (const Linear& layer : hidden_) layer.initialise_uniform(values, seed);
    last_.initialise_uniform(values, seed);
}

template <class Real>
void SkipMlp::forward(std::span<const Real> values, std::span<const Real> before, ConstMatrixView<Real> x,
                      std::span<const Real> after, Cache<Real>& cache, MatrixView<Real> y) const {
    core::check_shape("skip_mlp.shared", before.size(), after.size(), shape_.shared_before,
                      shape_.shared_after);
    core::check_shape("skip_mlp.x", x.rows, x.cols, y.rows, shape_.row_inputs);
    const auto weight = matrix_of(values, first_.weight());
    const auto bias = elements_of(values, first_.bias());
    const std::size_t after_first = shape_.shared_before + shape_.row_inputs;
    cache.shared_bias.assign(bias.begin(), bias.end());
    for (std::size_t o = 0; o < shape_.hidden; ++o) {
        Real sum = 0;
        for (std::size_t j = 0; j < before.size(); ++j) sum += weight(o, j) * before[j];
        for (std::size_t j = 0; j < after.size(); ++j) sum += weight(o, after_first + j) * after[j];
        cache.shared_bias[o] += sum;
    }

    cache.z.resize(shape_.layers);
    for (auto& z : cache.z) z.reshape(x.rows, shape_.hidden);
    linalg::gemm(false, true, Real{1}, x, weight.col_block(shape_.shared_before, shape_.row_inputs), Real{0},
                 cache.z[0].view());
    linalg::selu_forward(cache.z[0].view(), std::span<const Real>(cache.shared_bias),
                         ConstMatrixView<Real>());
    for (std::size_t l = 0; l < hidden_.size(); ++l) {
        const ConstMatrixView<Real> below = cache.z[l].view();
        hidden_[l].multiply(values, below, cache.z[l + 1].view());
        linalg::selu_forward(cache.z[l + 1].view(), elements_of(values, hidden_[l].bias()), below);
    }
    last_.multiply(values, ConstMatrixView<Real>(cache.z.back()), y);
    linalg::add_bias(y, elements_of(values, last_.bias()));
}

template <class Real>
void SkipMlp::backward(std::span<const Real> values, std::span<const Real> before, ConstMatrixView<Real> x,
                       std::span<const Real> after, ConstMatrixView<Real> dy, Cache<Real>& cache,
                       std::span<Real> gradients, std::span<Real> dbefore) const {
    cache.dz.reshape(x.rows, shape_.hidden);
    cache.dz_below.reshape(x.rows, shape_.hidden);
    // y = z W^T + b
    last_.accumulate_gradient(ConstMatrixView<Real>(cache.z.back()), dy, gradients);
    last_.input_gradient(values, dy, Real{0}, cache.dz.view());
    for (std::size_t l = hidden_.size(); l-- > 0;) {
        // z = SELU(below W^T + b + below)
        linalg::selu_backward(ConstMatrixView<Real>(cache.z[l + 1]), cache.dz.view());
        const ConstMatrixView<Real> dz = cache.dz.view();
        hidden_[l].accumulate_gradient(ConstMatrixView<Real>(cache.z[l]), dz, gradients);
        std::ranges::copy(cache.dz.values(), cache.dz_below.values().begin());
        hidden_[l].input_gradient(values, dz, Real{1}, cache.dz_below.view());
        std::swap(cache.dz, cache.dz_below);
    }
    first_backward(values, before, x, after, cache, gradients, dbefore);
}

template <class Real>
void SkipMlp::first_backward(std::span<const Real> values, std::span<const Real> before,
                             ConstMatrixView<Real> x, std::span<const Real> after, Cache<Real>& cache,
                             std::span<Real> gradients, std::span<Real> dbefore) const {
    // z = SELU(W [a | x | s] + b)
    linalg::selu_backward(ConstMatrixView<Real>(cache.z[0]), cache.dz.view());
    const ConstMatrixView<Real> dz = cache.dz.view();
    const auto weight = matrix_of(values, first_.weight());
    const auto dweight = matrix_of(gradients, first_.weight());
    const auto dbias = elements_of(gradients, first_.bias());
    const std::size_t after_first = shape_.shared_before + shape_.row_inputs;
    linalg::gemm(true, false, Real{1}, dz, x, Real{1},
                 dweight.col_block(shape_.shared_before, shape_.row_inputs));
    cache.dshared.assign(shape_.hidden, Real{0});
    linalg::add_column_sums(dz, std::span<Real>(cache.dshared));
    for (std::size_t o = 0; o < shape_.hidden; ++o) {
        dbias[o] += cache.dshared[o];
        for (std::size_t j = 0; j < before.size(); ++j) dweight(o, j) += cache.dshared[o] * before[j];
        for (std::size_t j = 0; j < after.size(); ++j)
            dweight(o, after_first + j) += cache.dshared[o] * after[j];
    }
    std::ranges::fill(dbefore, Real{0});
    for (std::size_t o = 0; o < shape_.hidden; ++o) {
        for (std::size_t j = 0; j < dbefore.size(); ++j) dbefore[j] += cache.dshared[o] * weight(o, j);
    }
}

template void SkipMlp::forward(std::span<const float>, std::span<const float>, ConstMatrixView<float>,
                               std::span<const float>, Cache<float>&, MatrixView<float>) const;
template void SkipMlp::forward(std::span<const double>, std::span<const double>, ConstMatrixView<double>,
                               std::span<const double>, Cache<double>&, MatrixView<double>) const;
template void SkipMlp::backward(std::span<const float>, std::span<const float>, ConstMatrixView<float>,
                                std::span<const float>, ConstMatrixView<float>, Cache<float>&,
                                std::span<float>, std::span<float>) const;
template void SkipMlp::backward(std::span<const double>, std::span<const double>, ConstMatrixView<double>,
                                std::span<const double>, ConstMatrixView<double>, Cache<double>&,
                                std::span<double>, std::span<double>) const;

}  // namespace popflow::nn
