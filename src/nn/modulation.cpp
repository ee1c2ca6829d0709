// SPDX-License-Identifier: MIT
#include "nn/modulation.hpp"

#include "linalg/activations.hpp"

namespace popflow::nn {

Modulation::Modulation(ParameterLayout& layout, const std::string& name, const SkipMlp& mlp)
    : first_row_column_(mlp.shape().shared_before),
      row_inputs_(mlp.shape().row_inputs),
      layers_(mlp.layers()) {
    for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
        scales_.emplace_back(layout, name + ".scale." + std::to_string(l), first_row_column_,
                             mlp.shape().hidden);
    }
}

void Modulation::initialise(std::span<float> values, std::uint64_t seed) const {
    for (const Linear& scale : scales_) scale.initialise_uniform(values, seed);
}

template <class Real>
void Modulation::apply(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache) const {
    const std::size_t begin = layers_.front().weight().offset;
    const std::size_t end = layers_.back().bias().offset + layers_.back().bias().size();
    cache.values.resize(values.size());
    cache.gradients.resize(values.size());
    std::copy(values.begin() + begin, values.begin() + end, cache.values.begin() + begin);
    std::fill(cache.gradients.begin() + begin, cache.gradients.begin() + end, Real{0});
    const std::size_t hidden = layers_.front().out();
    cache.scale.resize(scales_.size() * hidden);
    const std::span<Real> modulated(cache.values);
    for (std::size_t l = 0; l < scales_.size(); ++l) {
        const auto g = matrix_of(values, scales_[l].weight());
        const auto c = elements_of(values, scales_[l].bias());
        const auto weight = matrix_of(modulated, layers_[l].weight());
        const auto bias = elements_of(modulated, layers_[l].bias());
        const std::size_t first = l == 0 ? first_row_column_ : 0;
        const std::size_t count = l == 0 ? row_inputs_ : weight.cols;
        for (std::size_t o = 0; o < hidden; ++o) {
            const Real scale = 1 + linalg::dot(std::span<const Real>(g.row(o), a.size()), a) + c[o];
            cache.scale[l * hidden + o] = scale;
            Real* row = weight.row(o) + first;
            for (std::size_t j = 0; j < count; ++j) row[j] *= scale;
            bias[o] *= scale;
        }
    }
}

template <class Real>
void Modulation::backward(std::span<const Real> values, std::span<const Real> a, Cache<Real>& cache,
                          std::span<Real> gradients, std::span<Real> da) const {
    const std::span<const Real> modulated(cache.gradients);
    const std::size_t hidden = layers_.front().out();
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const auto dmodulated = matrix_of(modulated, layers_[l].weight());
        const auto dbias_modulated = elements_of(modulated, layers_[l].bias());
        const auto dweight = matrix_of(gradients, layers_[l].weight());
        const auto dbias = elements_of(gradients, layers_[l].bias());
        const bool scaled = l < scales_.size();
        const std::size_t first = l == 0 ? first_row_column_ : 0;
        const std::size_t count = l == 0 ? row_inputs_ : dweight.cols;
        for (std::size_t o = 0; o < dweight.rows; ++o) {
            const Real scale = scaled ? cache.scale[l * hidden + o] : Real{1};
            const Real* from = dmodulated.row(o);
            Real* to = dweight.row(o);
            for (std::size_t j = 0; j < first; ++j) to[j] += from[j];
            for (std::size_t j = first; j < first + count; ++j) to[j] += scale * from[j];
            for (std::size_t j = first + count; j < dweight.cols; ++j) to[j] += from[j];
            dbias[o] += scale * dbias_modulated[o];
        }
        if (!scaled) continue;
        // The scale 1 + G a + c multiplies the row of W and its bias.
        const auto weight = matrix_of(values, layers_[l].weight());
        const auto bias = elements_of(values, layers_[l].bias());
        const auto g = matrix_of(values, scales_[l].weight());
        const auto dg = matrix_of(gradients, scales_[l].weight());
        const auto dc = elements_of(gradients, scales_[l].bias());
        for (std::size_t o = 0; o < hidden; ++o) {
            const Real dscale = linalg::dot(std::span<const Real>(dmodulated.row(o) + first, count),
                                            std::span<const Real>(weight.row(o) + first, count)) +
                                dbias_modulated[o] * bias[o];
            dc[o] += dscale;
            for (std::size_t j = 0; j < a.size(); ++j) {
                dg(o, j) += dscale * a[j];
                da[j] += dscale * g(o, j);
            }
        }
    }
}

template void Modulation::apply(std::span<const float>, std::span<const float>, Cache<float>&) const;
template void Modulation::apply(std::span<const double>, std::span<const double>, Cache<double>&) const;
template void Modulation::backward(std::span<const float>, std::span<const float>, Cache<float>&,
                                   std::span<float>, std::span<float>) const;
template void Modulation::backward(std::span<const double>, std::span<const double>, Cache<double>&,
                                   std::span<double>, std::span<double>) const;

}  // namespace popflow::nn
