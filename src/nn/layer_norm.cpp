// SPDX-License-Identifier: MIT
#include "nn/layer_norm.hpp"

#include "linalg/activations.hpp"
#include "linalg/row_blocks.hpp"

namespace popflow::nn {

namespace {

template <class Real>
Real factor_of_row(const RowScale& scale, std::size_t row) {
    return row < scale.rows ? static_cast<Real>(scale.factor) : Real{1};
}

}  // namespace

LayerNorm::LayerNorm(ParameterLayout& layout, const std::string& name, std::size_t width)
    : gain_(layout.add(name + ".weight", 1, width)), bias_(layout.add(name + ".bias", 1, width)) {}

void LayerNorm::initialise(std::span<float> values) const {
    std::ranges::fill(elements_of(values, gain_), 1.0F);
    std::ranges::fill(elements_of(values, bias_), 0.0F);
}

template <class Real>
void LayerNorm::fold(std::span<const Real> values, const Linear& next, const RowScale& scale,
                     linalg::MatrixView<Real> weight, std::span<Real> bias) const {
    core::check_shape("layer_norm.next", next.out(), next.in(), next.out(), gain_.cols);
    core::check_shape("layer_norm.weight", weight.rows, weight.cols, next.out(), next.in());
    core::check_shape("layer_norm.bias", 1, bias.size(), 1, next.out());
    const auto w = matrix_of(values, next.weight());
    const auto b = elements_of(values, next.bias());
    const auto gain = elements_of(values, gain_);
    const auto shift = elements_of(values, bias_);
    for (std::size_t o = 0; o < w.rows; ++o) {
        const Real factor = factor_of_row<Real>(scale, o);
        for (std::size_t j = 0; j < w.cols; ++j) weight(o, j) = factor * w(o, j) * gain[j];
        bias[o] = factor * (b[o] + linalg::dot(std::span<const Real>(w.row_span(o)), shift));
    }
}

template <class Real>
void LayerNorm::unfold_gradient(std::span<const Real> values, const Linear& next, const RowScale& scale,
                                linalg::ConstMatrixView<Real> dweight, std::span<const Real> dbias,
                                std::span<Real> gradients) const {
    core::check_shape("layer_norm.dweight", dweight.rows, dweight.cols, next.out(), gain_.cols);
    core::check_shape("layer_norm.dbias", 1, dbias.size(), 1, next.out());
    const auto w = matrix_of(values, next.weight());
    const auto gain = elements_of(values, gain_);
    const auto shift = elements_of(values, bias_);
    const auto dw = matrix_of(gradients, next.weight());
    const auto db = elements_of(gradients, next.bias());
    const auto dgain = elements_of(gradients, gain_);
    const auto dshift = elements_of(gradients, bias_);
    for (std::size_t o = 0; o < w.rows; ++o) db[o] += factor_of_row<Real>(scale, o) * dbias[o];
    // Each task takes columns of its own, so that the sums over rows have a fixed order.
    constexpr std::size_t width = 64;
    linalg::parallel_for_tasks((w.cols + width - 1) / width, [&](std::size_t task) {
        const std::size_t first = task * width;
        const std::size_t end = std::min(first + width, w.cols);
        for (std::size_t o = 0; o < w.rows; ++o) {
            const Real factor = factor_of_row<Real>(scale, o);
            const Real d = factor * dbias[o];
            for (std::size_t j = first; j < end; ++j) {
                const Real g = factor * dweight(o, j);
                dw(o, j) += g * gain[j] + d * shift[j];
                dgain[j] += g * w(o, j);
                dshift[j] += d * w(o, j);
            }
        }
    });
}

#define POPFLOW_INSTANTIATE(Real)                                                                   \
    template void LayerNorm::fold(std::span<const Real>, const Linear&, const RowScale&,            \
                                  linalg::MatrixView<Real>, std::span<Real>) const;                 \
    template void LayerNorm::unfold_gradient(std::span<const Real>, const Linear&, const RowScale&, \
                                             linalg::ConstMatrixView<Real>, std::span<const Real>,  \
                                             std::span<Real>) const;
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
