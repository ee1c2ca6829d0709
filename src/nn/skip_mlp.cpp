// SPDX-License-Identifier: MIT
#include "nn/skip_mlp.hpp"

#include "linalg/activations.hpp"
#include "linalg/selu.hpp"
#include "nn/thread_blocks.hpp"

namespace popflow::nn {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Copies a block of rows and rounds it to the type of `out`.
void round_block(ConstMatrixView<float> x, MatrixView<bfloat16> out) {
    linalg::round_rows(x, out);
}

template <class Real>
void round_block(ConstMatrixView<Real> x, MatrixView<Real> out) {
    for (std::size_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, out.row(i));
}

}  // namespace

SkipMlp::SkipMlp(ParameterLayout& layout, const std::string& name, const SkipMlpShape& shape)
    : shape_(shape) {
    layers_.emplace_back(layout, name + ".first", shape.inputs(), shape.hidden);
    for (std::size_t l = 1; l < shape.layers; ++l) {
        layers_.emplace_back(layout, name + ".hidden." + std::to_string(l - 1), shape.hidden, shape.hidden);
    }
    layers_.emplace_back(layout, name + ".last", shape.hidden, shape.outputs);
}

void SkipMlp::initialise(std::span<float> values, std::uint64_t seed) const {
    for (const Linear& layer : layers_) layer.initialise_uniform(values, seed);
}

void SkipMlp::zero_output(std::span<float> values) const {
    for (const Tensor* tensor : {&layers_.back().weight(), &layers_.back().bias()})
        std::ranges::fill(elements_of(values, *tensor), 0.0F);
}

template <class T>
void SkipMlp::pack(std::span<const linalg::accumulator_t<T>> values, Packed<T>& packed) const {
    packed.forward.resize(layers_.size());
    packed.backward.resize(layers_.size());
    linalg::parallel_for_tasks(2 * layers_.size() - 1, [&](std::size_t task) {
        const std::size_t l = (task + 1) / 2;
        const auto weight = matrix_of(values, layers_[l].weight());
        if (task % 2 == 1) {
            packed.backward[l].pack(false, weight);
        } else {
            packed.forward[l].pack(
                true, l == 0 ? weight.col_block(shape_.shared_before, shape_.row_inputs) : weight);
        }
    });
}

// Adds the contribution of the shared inputs: bias += W [before | 0 | after].
template <class Real>
void SkipMlp::add_shared(std::span<const Real> values, std::span<const Real> before,
                         std::span<const Real> after, std::vector<Real>& bias) const {
    const auto weight = matrix_of(values, layers_.front().weight());
    const std::size_t after_first = shape_.shared_before + shape_.row_inputs;
    for (std::size_t o = 0; o < shape_.hidden; ++o) {
        bias[o] += linalg::dot(std::span<const Real>(weight.row(o), before.size()), before) +
                   linalg::dot(std::span<const Real>(weight.row(o) + after_first, after.size()), after);
    }
}

template <class T>
void SkipMlp::forward(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                      std::span<const accumulator_t<T>> before, ConstMatrixView<accumulator_t<T>> x,
                      std::span<const accumulator_t<T>> after, bool keep, Cache<T>& cache,
                      MatrixView<accumulator_t<T>> y) const {
    using Real = accumulator_t<T>;
    core::check_shape("skip_mlp.shared", before.size(), after.size(), shape_.shared_before,
                      shape_.shared_after);
    core::check_shape("skip_mlp.x", x.rows, x.cols, y.rows, shape_.row_inputs);
    const auto bias = elements_of(values, layers_.front().bias());
    cache.shared_bias.assign(bias.begin(), bias.end());
    add_shared(values, before, after, cache.shared_bias);
    cache.x.reshape(x.rows, x.cols);
    const std::size_t kept = keep ? shape_.layers : std::min<std::size_t>(2, shape_.layers);
    cache.z.resize(std::max(kept, cache.z.size()));
    for (std::size_t l = 0; l < kept; ++l) cache.z[l].reshape(x.rows, shape_.hidden);
    reserve_blocks(cache.running, shape_.hidden);

    linalg::parallel_for_row_blocks(x.rows, [&](std::size_t /*block*/, std::size_t first, std::size_t n) {
        const MatrixView<Real> running = own_block(cache.running, n, shape_.hidden);
        round_block(x.row_block(first, n), rows_of(cache.x, first, n));
        linalg::multiply(const_rows(cache.x, first, n), packed.forward[0], false, running);
        linalg::selu_forward(running, std::span<const Real>(cache.shared_bias),
                             rows_of(cache.z[0], first, n));
        for (std::size_t l = 1; l < shape_.layers; ++l) {
            // The running block still holds the output of the layer below. Accumulating on it adds the
            // skip connection.
            linalg::multiply(const_rows(cache.z[(l - 1) % kept], first, n), packed.forward[l], true, running);
            linalg::selu_forward(running, elements_of(values, layers_[l].bias()),
                                 rows_of(cache.z[l % kept], first, n));
        }
        const MatrixView<Real> out = y.row_block(first, n);
        linalg::multiply(const_rows(cache.z[(shape_.layers - 1) % kept], first, n), packed.forward.back(),
                         false, out);
        linalg::add_bias(out, elements_of(values, layers_.back().bias()));
    });
}

template <class T>
void SkipMlp::backward(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                       std::span<const accumulator_t<T>> before, std::span<const accumulator_t<T>> after,
                       ConstMatrixView<accumulator_t<T>> dy, Cache<T>& cache,
                       std::span<accumulator_t<T>> gradients, std::span<accumulator_t<T>> dbefore,
                       const GradientSink* gradient_sink) const {
    using Real = accumulator_t<T>;
    inputs_backward(packed, dy, cache);
    biases_backward(dy, cache, gradients);
    shared_backward(values, before, after, std::span<const Real>(cache.dshared), gradients, dbefore);
    // Without a sink, computes the weight gradients of all layers at once. With a sink, computes as few
    // layers at a time as give each thread a task, so that gradients become final early.
    const auto threads = static_cast<std::size_t>(omp_in_parallel() != 0 ? 1 : omp_get_max_threads());
    const std::size_t step = gradient_sink != nullptr
                                 ? 1 + (threads - 1) / linalg::count_row_blocks(shape_.hidden)
                                 : layers_.size();
    for (std::size_t end = layers_.size(); end > 0;) {
        const std::size_t first = end - std::min(step, end);
        weights_backward(first, end, cache, gradients);
        if (gradient_sink != nullptr) (*gradient_sink)(layers_[first].weight().offset);
        end = first;
    }
}

template <class T, class Real>
void SkipMlp::inputs_backward(const Packed<T>& packed, ConstMatrixView<Real> dy, Cache<T>& cache) const {
    const std::size_t layers = shape_.layers;
    cache.dy.reshape(dy.rows, dy.cols);
    cache.dz.resize(layers);
    for (auto& dz : cache.dz) dz.reshape(dy.rows, shape_.hidden);
    cache.column_sums.reshape(linalg::count_row_blocks(dy.rows), layers * shape_.hidden);
    reserve_blocks(cache.running, shape_.hidden);
    linalg::parallel_for_row_blocks(dy.rows, [&](std::size_t block, std::size_t first, std::size_t n) {
        const MatrixView<Real> running = own_block(cache.running, n, shape_.hidden);
        round_block(dy.row_block(first, n), rows_of(cache.dy, first, n));
        linalg::multiply(const_rows(cache.dy, first, n), packed.backward.back(), false, running);
        const std::span<Real> sums = cache.column_sums.view().row_span(block);
        std::ranges::fill(sums, Real{0});
        for (std::size_t l = layers; l-- > 0;) {
            // z = SELU(below W^T + b + below)
            linalg::selu_backward(const_rows(cache.z[l], first, n), running, rows_of(cache.dz[l], first, n),
                                  sums.subspan(l * shape_.hidden, shape_.hidden));
            if (l > 0) linalg::multiply(const_rows(cache.dz[l], first, n), packed.backward[l], true, running);
        }
    });
}

// Computes dW += dz^T below for layers [first_layer, end_layer), in parallel over blocks of rows of dW.
template <class T, class Real>
void SkipMlp::weights_backward(std::size_t first_layer, std::size_t end_layer, Cache<T>& cache,
                               std::span<Real> gradients) const {
    const std::size_t blocks = linalg::count_row_blocks(shape_.hidden);
    const std::size_t blocks_last = linalg::count_row_blocks(shape_.outputs);
    const std::size_t hidden_end = std::min(end_layer, shape_.layers);
    const std::size_t hidden_tasks = (hidden_end - std::min(first_layer, hidden_end)) * blocks;
    linalg::parallel_for_tasks(
        hidden_tasks + (end_layer > shape_.layers ? blocks_last : 0), [&](std::size_t index) {
            const std::size_t task = index + first_layer * blocks;
            const std::size_t l = std::min(task / blocks, shape_.layers);
            const Matrix<T>& dz = l < shape_.layers ? cache.dz[l] : cache.dy;
            const Matrix<T>& below = l == 0 ? cache.x : cache.z[l - 1];
            const std::size_t first = (task - l * blocks) * linalg::block_rows;
            const std::size_t count = std::min(linalg::block_rows, dz.cols() - first);
            const auto dweight = matrix_of(gradients, layers_[l].weight()).row_block(first, count);
            linalg::add_transposed_product(
                dz.view().col_block(first, count), below.view(),
                l == 0 ? dweight.col_block(shape_.shared_before, shape_.row_inputs) : dweight);
        });
}

template <class T, class Real>
void SkipMlp::biases_backward(ConstMatrixView<Real> dy, Cache<T>& cache, std::span<Real> gradients) const {
    const std::size_t h = shape_.hidden;
    cache.dshared.assign(h, Real{0});
    for (std::size_t l = 0; l < shape_.layers; ++l) {
        const ConstMatrixView<Real> sums = cache.column_sums.view().col_block(l * h, h);
        linalg::add_column_sums(sums, elements_of(gradients, layers_[l].bias()));
        if (l == 0) linalg::add_column_sums(sums, std::span<Real>(cache.dshared));
    }
    linalg::add_column_sums(dy, elements_of(gradients, layers_.back().bias()));
}

// Adds the weight gradients of the shared inputs, which only the first layer has, and computes dbefore.
template <class Real>
void SkipMlp::shared_backward(std::span<const Real> values, std::span<const Real> before,
                              std::span<const Real> after, std::span<const Real> dshared,
                              std::span<Real> gradients, std::span<Real> dbefore) const {
    const auto weight = matrix_of(values, layers_.front().weight());
    const auto dweight = matrix_of(gradients, layers_.front().weight());
    const std::size_t after_first = shape_.shared_before + shape_.row_inputs;
    std::ranges::fill(dbefore, Real{0});
    for (std::size_t o = 0; o < shape_.hidden; ++o) {
        linalg::add_scaled(dshared[o], before, {dweight.row(o), before.size()});
        linalg::add_scaled(dshared[o], after, {dweight.row(o) + after_first, after.size()});
        linalg::add_scaled(dshared[o], std::span<const Real>(weight.row(o), dbefore.size()), dbefore);
    }
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                \
    template void SkipMlp::pack(std::span<const Real>, Packed<T>&) const;                           \
    template void SkipMlp::forward(std::span<const Real>, const Packed<T>&, std::span<const Real>,  \
                                   ConstMatrixView<Real>, std::span<const Real>, bool, Cache<T>&,   \
                                   MatrixView<Real>) const;                                         \
    template void SkipMlp::backward(std::span<const Real>, const Packed<T>&, std::span<const Real>, \
                                    std::span<const Real>, ConstMatrixView<Real>, Cache<T>&,        \
                                    std::span<Real>, std::span<Real>, const GradientSink*) const;
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
