// SPDX-License-Identifier: MIT
#include "models/population_encoder.hpp"

#include <cmath>

#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;
using nn::elements_of;

PopulationEncoder::PopulationEncoder(nn::ParameterLayout& layout, const std::string& name,
                                     const EncoderShape& shape)
    : shape_(shape) {
    for (std::size_t l = 0; l < shape.layers; ++l) {
        const std::size_t in = l == 0 ? shape.inputs : shape.hidden;
        const std::size_t out = l + 1 == shape.layers ? shape.embedding : shape.hidden;
        layers_.emplace_back(layout, name + ".conv." + std::to_string(l), in, out);
    }
}

void PopulationEncoder::initialise(std::span<float> values, std::uint64_t seed) const {
    for (const nn::Linear& layer : layers_) layer.initialise_glorot(values, seed);
}

template <class Real>
void PopulationEncoder::forward(std::span<const Real> values, ConstMatrixView<Real> x, std::size_t markers,
                                Cache<Real>& cache, std::span<Real> h) const {
    core::check_shape("encoder.x", x.rows, x.cols, x.rows, shape_.inputs);
    const std::size_t k = shape_.knn;
    cache.graph.n = x.rows;
    cache.graph.k = k;
    linalg::nearest_neighbours(x.col_block(0, markers), k, cache.search, cache.graph.neighbours);
    cache.graph.column_means(cache.weight);
    cache.aggregated.resize(layers_.size());
    cache.z.resize(layers_.size());
    ConstMatrixView<Real> below = x;
    for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
        // z = ReLU(A below W^T + b)
        if (k > 0) {
            cache.aggregated[l].reshape(x.rows, below.cols);
            nn::aggregate(cache.graph, below, cache.aggregated[l].view());
            below = cache.aggregated[l].view();
        }
        cache.z[l].reshape(x.rows, layers_[l].out());
        layers_[l].multiply(values, below, cache.z[l].view());
        if (shape_.activation == EncoderActivation::relu) {
            linalg::relu_forward(cache.z[l].view(), elements_of(values, layers_[l].bias()));
        } else {
            linalg::add_bias(cache.z[l].view(), elements_of(values, layers_[l].bias()));
        }
        below = cache.z[l].view();
    }
    // e = (weights^T below) W^T + b
    cache.pooled.reshape(1, below.cols);
    linalg::gemm(false, false, Real{1}, ConstMatrixView<Real>(cache.weight.data(), 1, x.rows), below, Real{0},
                 cache.pooled.view());
    cache.raw.reshape(1, shape_.embedding);
    layers_.back().multiply(values, ConstMatrixView<Real>(cache.pooled), cache.raw.view());
    linalg::add_bias(cache.raw.view(), elements_of(values, layers_.back().bias()));
    Real squared = 0;
    for (Real e : cache.raw.values()) squared += e * e;
    cache.norm = std::sqrt(squared);
    if (!(cache.norm > 0))
        throw core::NumericalError("population encoder", "the embedding is zero and cannot be normalised");
    const auto length = static_cast<Real>(shape_.norm);
    for (std::size_t j = 0; j < h.size(); ++j) h[j] = length * cache.raw(0, j) / cache.norm;
}

template <class Real>
void PopulationEncoder::backward(std::span<const Real> values, ConstMatrixView<Real> x,
                                 std::span<const Real> h, std::span<const Real> dh, Cache<Real>& cache,
                                 std::span<Real> gradients) const {
    // h = r e / ||e||
    const auto length = static_cast<Real>(shape_.norm);
    Real along = 0;
    for (std::size_t j = 0; j < h.size(); ++j) along += h[j] * dh[j];
    Matrix<Real>& de = cache.raw;
    for (std::size_t j = 0; j < h.size(); ++j)
        de(0, j) = (length * dh[j] - along / length * h[j]) / cache.norm;
    // e = (weights^T below) W^T + b
    layers_.back().accumulate_gradient(ConstMatrixView<Real>(cache.pooled), ConstMatrixView<Real>(de),
                                       gradients);
    if (layers_.size() == 1) return;
    cache.dpooled.reshape(1, shape_.hidden);
    layers_.back().input_gradient(values, ConstMatrixView<Real>(de), Real{0}, cache.dpooled.view());
    cache.dz.reshape(x.rows, shape_.hidden);
    linalg::gemm(true, false, Real{1}, ConstMatrixView<Real>(cache.weight.data(), 1, x.rows),
                 ConstMatrixView<Real>(cache.dpooled), Real{0}, cache.dz.view());
    for (std::size_t l = layers_.size() - 1; l-- > 0;) {
        // z = ReLU(A below W^T + b)
        if (shape_.activation == EncoderActivation::relu) {
            linalg::relu_backward(ConstMatrixView<Real>(cache.z[l]), cache.dz.view());
        }
        const ConstMatrixView<Real> dz = cache.dz.view();
        const ConstMatrixView<Real> below = l == 0 ? x : ConstMatrixView<Real>(cache.z[l - 1]);
        const bool graph = shape_.knn > 0;
        layers_[l].accumulate_gradient(graph ? ConstMatrixView<Real>(cache.aggregated[l]) : below, dz,
                                       gradients);
        if (l == 0) break;
        cache.dz_below.reshape(x.rows, below.cols);
        layers_[l].input_gradient(values, dz, Real{0}, cache.dz_below.view());
        if (graph) {
            nn::aggregate_backward(cache.graph, ConstMatrixView<Real>(cache.dz_below), cache.transposed,
                                   cache.dz.view());
        } else {
            std::swap(cache.dz, cache.dz_below);
        }
    }
}

template void PopulationEncoder::forward(std::span<const float>, ConstMatrixView<float>, std::size_t,
                                         Cache<float>&, std::span<float>) const;
template void PopulationEncoder::forward(std::span<const double>, ConstMatrixView<double>, std::size_t,
                                         Cache<double>&, std::span<double>) const;
template void PopulationEncoder::backward(std::span<const float>, ConstMatrixView<float>,
                                          std::span<const float>, std::span<const float>, Cache<float>&,
                                          std::span<float>) const;
template void PopulationEncoder::backward(std::span<const double>, ConstMatrixView<double>,
                                          std::span<const double>, std::span<const double>, Cache<double>&,
                                          std::span<double>) const;

}  // namespace popflow::models
