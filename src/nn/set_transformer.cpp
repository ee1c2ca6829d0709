// SPDX-License-Identifier: MIT
#include "nn/set_transformer.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "core/random.hpp"
#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"
#include "linalg/leaky_relu.hpp"
#include "linalg/normalise_rows.hpp"
#include "nn/thread_blocks.hpp"

namespace popflow::nn {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Variance of the weights of the last layer times its number of inputs.
constexpr double output_variance = 1e-5;

template <class Real>
std::span<const Real> const_span(const std::vector<Real>& values) {
    return values;
}

// Adds dW += dz^T below, in parallel over blocks of rows of dW. The number of tasks is that of row blocks.
template <class T>
struct WeightGradient {
    ConstMatrixView<T> dz;
    ConstMatrixView<T> below;
    MatrixView<accumulator_t<T>> dweight;
    std::size_t tasks() const { return linalg::count_row_blocks(dweight.rows); }
    void run(std::size_t task) const {
        if (dz.rows == 0) return;  // oneDNN refuses an inner size of zero
        const std::size_t first = task * linalg::block_rows;
        const std::size_t count = std::min(linalg::block_rows, dweight.rows - first);
        linalg::add_transposed_product(dz.col_block(first, count), below, dweight.row_block(first, count));
    }
};

template <class T>
void run_all(std::span<const WeightGradient<T>> gradients) {
    std::size_t count = 0;
    for (const auto& gradient : gradients) count += gradient.tasks();
    linalg::parallel_for_tasks(count, [&](std::size_t task) {
        for (const auto& gradient : gradients) {
            if (task < gradient.tasks()) return gradient.run(task);
            task -= gradient.tasks();
        }
    });
}

}  // namespace

SetTransformer::SetTransformer(ParameterLayout& layout, const std::string& name,
                               const SetTransformerShape& shape)
    : shape_(shape) {
    const std::size_t width = shape.width;
    if (shape.heads == 0 || width == 0 || width % shape.heads != 0) {
        throw core::ShapeMismatch("set_transformer", "a width that is a multiple of the heads", shape.heads,
                                  width);
    }
    input_ = Linear(layout, name + ".input", shape.point_inputs, width);
    if (is_modulated()) condition_ = Linear(layout, name + ".condition", shape.cloud_inputs, width);
    for (std::size_t b = 0; b < shape.blocks; ++b) {
        const std::string prefix = name + ".block_" + std::to_string(b);
        Block& block = blocks_.emplace_back();
        if (is_modulated())
            block.modulation = CloudModulation(layout, prefix + ".modulation", width);
        else if (shape.cloud_inputs > 0)
            block.cloud = Linear(layout, prefix + ".cloud", shape.cloud_inputs, width);
        block.attention_norm = LayerNorm(layout, prefix + ".attention.norm", width);
        block.qkv = Linear(layout, prefix + ".attention.in", width, 3 * width);
        block.projection = Linear(layout, prefix + ".attention.out", width, width);
        block.mlp_norm = LayerNorm(layout, prefix + ".mlp.norm", width);
        block.up = Linear(layout, prefix + ".mlp.first", width, width);
        block.down = Linear(layout, prefix + ".mlp.second", width, width);
    }
    output_norm_ = LayerNorm(layout, name + ".norm", width);
    output_ = Linear(layout, name + ".output", width, shape.outputs);
}

void SetTransformer::initialise(std::span<float> values, std::uint64_t seed) const {
    input_.initialise_uniform(values, seed);
    if (is_modulated()) condition_.initialise_uniform(values, seed);
    for (const Block& block : blocks_) {
        if (is_modulated())
            block.modulation.initialise(values);
        else if (shape_.cloud_inputs > 0)
            block.cloud.initialise_uniform(values, seed);
        block.attention_norm.initialise(values);
        block.mlp_norm.initialise(values);
        for (const Linear* layer : {&block.qkv, &block.projection, &block.up, &block.down})
            layer->initialise_uniform(values, seed);
    }
    output_norm_.initialise(values);
    core::Stream stream(seed, core::Purpose::weights, output_.weight().offset);
    const double deviation = std::sqrt(output_variance / static_cast<double>(shape_.width));
    for (float& v : elements_of(values, output_.weight()))
        v = static_cast<float>(deviation * stream.normal());
    std::ranges::fill(elements_of(values, output_.bias()), 0.0F);
}

void SetTransformer::zero_output(std::span<float> values) const {
    for (const Tensor* tensor : {&output_.weight(), &output_.bias()})
        std::ranges::fill(elements_of(values, *tensor), 0.0F);
}

const Tensor& SetTransformer::first_tensor(const Block& block) const {
    if (is_modulated()) return block.modulation.weight();
    return shape_.cloud_inputs > 0 ? block.cloud.weight() : block.attention_norm.gain();
}

RowScale SetTransformer::query_row_scale() const {
    return {shape_.width, query_scale(shape_.width / shape_.heads)};
}

template <class T>
void SetTransformer::pack(std::span<const accumulator_t<T>> values, Packed<T>& packed) const {
    using Real = accumulator_t<T>;
    const std::size_t width = shape_.width;
    packed.blocks.resize(blocks_.size());
    packed.input.pack(true, matrix_of(values, input_.weight()));
    const auto pack_folded = [&](const LayerNorm& norm, const Linear& layer, const RowScale& scale,
                                 PackedLayer<T>& to) {
        Matrix<Real> weight(layer.out(), layer.in());
        to.bias.resize(layer.out());
        norm.fold(values, layer, scale, weight.view(), std::span<Real>(to.bias));
        to.forward.pack(true, weight.view());
        to.backward.pack(false, weight.view());
    };
    const auto pack_plain = [&](const Linear& layer, PackedLayer<T>& to) {
        to.forward.pack(true, matrix_of(values, layer.weight()));
        to.backward.pack(false, matrix_of(values, layer.weight()));
        const auto bias = elements_of(values, layer.bias());
        to.bias.assign(bias.begin(), bias.end());
    };
    constexpr std::size_t layers = 4;  // number in each block
    linalg::parallel_for_tasks(layers * blocks_.size() + 1, [&](std::size_t task) {
        if (task == layers * blocks_.size()) return pack_folded(output_norm_, output_, {}, packed.output);
        const Block& block = blocks_[task / layers];
        PackedBlock<T>& to = packed.blocks[task / layers];
        switch (task % layers) {
            case 0:
                return pack_folded(block.attention_norm, block.qkv, query_row_scale(), to.qkv);
            case 1:
                return pack_plain(block.projection, to.projection);
            case 2:
                return pack_folded(block.mlp_norm, block.up, {}, to.up);
            default:
                return pack_plain(block.down, to.down);
        }
    });
    // The stored h lacks the biases of the layers whose outputs it sums, unless their outputs have gates.
    std::vector<Real> shift(width, Real{0});
    const auto add_bias_of = [&](const Linear& layer) {
        const auto bias = elements_of(values, layer.bias());
        for (std::size_t j = 0; j < width; ++j) shift[j] += bias[j];
    };
    add_bias_of(input_);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        packed.blocks[b].attention_shift = shift;
        if (!is_modulated()) add_bias_of(blocks_[b].projection);
        packed.blocks[b].mlp_shift = shift;
        if (!is_modulated()) add_bias_of(blocks_[b].down);
    }
    packed.output_shift = shift;
}

// Checks and copies the inputs of a batch, and shapes the buffers for it.
template <class T>
void SetTransformer::set_inputs(ConstMatrixView<accumulator_t<T>> x, std::span<const std::size_t> bounds,
                                ConstMatrixView<accumulator_t<T>> shared, bool keep, Cache<T>& cache) const {
    const std::size_t width = shape_.width;
    core::check_shape("set_transformer.x", x.rows, x.cols, x.rows, shape_.point_inputs);
    bool fits = !bounds.empty() && bounds.front() == 0 && bounds.back() == x.rows;
    for (std::size_t c = 0; fits && c + 1 < bounds.size(); ++c) fits = bounds[c] <= bounds[c + 1];
    if (!fits) {
        throw core::ShapeMismatch("set_transformer.bounds",
                                  "increasing bounds from 0 to " + std::to_string(x.rows), 1, bounds.size());
    }
    const std::size_t clouds = bounds.size() - 1;
    core::check_shape("set_transformer.shared", shared.rows, shared.cols, clouds, shape_.cloud_inputs);
    cache.x.reshape(x.rows, x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, cache.x.view().row(i));
    cache.shared.reshape(clouds, shared.cols);
    for (std::size_t c = 0; c < clouds; ++c)
        std::copy_n(shared.row(c), shared.cols, cache.shared.view().row(c));
    cache.bounds.assign(bounds.begin(), bounds.end());

    cache.segments.assign(bounds);
    cache.h.reshape(x.rows, width);
    cache.last.reshape(x.rows, width);
    cache.last_inverse.resize(x.rows);
    const std::size_t kept = keep ? blocks_.size() : std::min<std::size_t>(1, blocks_.size());
    if (cache.blocks.size() < kept) cache.blocks.resize(kept);
    for (std::size_t b = 0; b < kept; ++b) {
        BlockCache<T>& block = cache.blocks[b];
        for (Matrix<T>* m : {&block.attention_input, &block.attended, &block.mlp_input, &block.z})
            m->reshape(x.rows, width);
        block.qkv.reshape(x.rows, 3 * width);
        block.log_sum.reshape(shape_.heads, x.rows);
        block.attention_inverse.resize(x.rows);
        block.mlp_inverse.resize(x.rows);
        if (!is_modulated()) continue;
        block.attention_output.reshape(x.rows, width);
        block.mlp_output.reshape(x.rows, width);
    }
    if (is_modulated()) {
        cache.attention_modulated.reshape(x.rows, width);
        cache.mlp_modulated.reshape(x.rows, width);
    }
    reserve_blocks(cache.running, 3 * width);
}

// Computes the vectors that are added to the rows of each cloud before the attention of each block: the
// biases that h lacks, and W s + b.
template <class T>
void SetTransformer::compute_shifts(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                                    Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    const std::size_t clouds = cache.shared.rows();
    cache.shift.resize(blocks_.size());
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        Matrix<Real>& shift = cache.shift[b];
        shift.reshape(clouds, shape_.width);
        for (std::size_t c = 0; c < clouds; ++c)
            std::ranges::copy(packed.blocks[b].attention_shift, shift.view().row(c));
        if (shape_.cloud_inputs == 0 || is_modulated()) continue;
        const Linear& layer = blocks_[b].cloud;
        linalg::gemm(false, true, Real{1}, cache.shared.view(), matrix_of(values, layer.weight()), Real{1},
                     shift.view());
        linalg::add_bias(shift.view(), elements_of(values, layer.bias()));
    }
}

// Computes the modulation of each cloud in each block.
template <class T>
void SetTransformer::compute_modulations(std::span<const accumulator_t<T>> values, Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    cache.condition.reshape(cache.shared.rows(), shape_.width);
    const MatrixView<Real> condition = cache.condition.view();
    condition_.multiply<Real>(values, std::as_const(cache.shared).view(), condition);
    linalg::leaky_relu_forward<Real>(condition, elements_of(values, condition_.bias()), condition);
    cache.modulation.resize(blocks_.size());
    for (std::size_t b = 0; b < blocks_.size(); ++b)
        blocks_[b].modulation.forward<Real>(values, condition, cache.modulation[b]);
}

// Computes queries, keys and values of a block of rows.
template <class T>
void SetTransformer::begin_block(const Packed<T>& packed, std::size_t b, std::size_t row_block, std::size_t n,
                                 BlockCache<T>& kept, Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    const std::size_t first = row_block * linalg::block_rows;
    const auto segments = cache.segments.of(row_block);
    for (const Segment& segment : segments) {
        linalg::normalise_rows<T>(
            const_rows(cache.h, segment.first, segment.count),
            std::as_const(cache.shift[b]).view().row_span(segment.cloud),
            rows_of(kept.attention_input, segment.first, segment.count),
            std::span<Real>(kept.attention_inverse).subspan(segment.first, segment.count));
    }
    if (is_modulated()) {
        blocks_[b].modulation.scale_and_shift<T>(CloudModulation::attention, segments, cache.modulation[b],
                                                 kept.attention_input, cache.attention_modulated);
    }
    const Matrix<T>& input = is_modulated() ? cache.attention_modulated : kept.attention_input;
    const PackedLayer<T>& layer = packed.blocks[b].qkv;
    const MatrixView<Real> running = own_block(cache.running, n, 3 * shape_.width);
    linalg::multiply(const_rows(input, first, n), layer.forward, false, running);
    linalg::add_bias_and_round_rows<T>(running, const_span(layer.bias), rows_of(kept.qkv, first, n));
}

// Adds the output of the attention and the perceptron to h for a block of rows.
template <class T>
void SetTransformer::end_block(const Packed<T>& packed, std::size_t b, std::size_t row_block, std::size_t n,
                               BlockCache<T>& kept, Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    const PackedBlock<T>& block = packed.blocks[b];
    const CloudModulation& modulation = blocks_[b].modulation;
    const std::size_t first = row_block * linalg::block_rows;
    const auto segments = cache.segments.of(row_block);
    const MatrixView<Real> h = rows_of(cache.h, first, n);
    const MatrixView<Real> running = own_block(cache.running, n, shape_.width);
    const auto add_branch = [&](CloudModulation::Branch branch, ConstMatrixView<T> rows,
                                const PackedLayer<T>& layer, Matrix<T>& output) {
        if (!is_modulated()) return linalg::multiply(rows, layer.forward, true, h);
        linalg::multiply(rows, layer.forward, false, running);
        modulation.add_gated<T>(branch, segments, cache.modulation[b], running, const_span(layer.bias),
                                output, cache.h);
    };
    add_branch(CloudModulation::attention, const_rows(kept.attended, first, n), block.projection,
               kept.attention_output);
    linalg::normalise_rows<T>(h, const_span(block.mlp_shift), rows_of(kept.mlp_input, first, n),
                              std::span<Real>(kept.mlp_inverse).subspan(first, n));
    if (is_modulated()) {
        modulation.scale_and_shift<T>(CloudModulation::mlp, segments, cache.modulation[b], kept.mlp_input,
                                      cache.mlp_modulated);
    }
    const Matrix<T>& input = is_modulated() ? cache.mlp_modulated : kept.mlp_input;
    linalg::multiply(const_rows(input, first, n), block.up.forward, false, running);
    linalg::leaky_relu_forward<T>(running, const_span(block.up.bias), rows_of(kept.z, first, n));
    add_branch(CloudModulation::mlp, const_rows(kept.z, first, n), block.down, kept.mlp_output);
}

template <class T>
void SetTransformer::forward(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                             ConstMatrixView<accumulator_t<T>> x, std::span<const std::size_t> bounds,
                             ConstMatrixView<accumulator_t<T>> shared, bool keep, Cache<T>& cache,
                             MatrixView<accumulator_t<T>> y) const {
    using Real = accumulator_t<T>;
    core::check_shape("set_transformer.y", y.rows, y.cols, x.rows, shape_.outputs);
    set_inputs(x, bounds, shared, keep, cache);
    compute_shifts(values, packed, cache);
    if (is_modulated()) compute_modulations(values, cache);
    const std::size_t blocks = blocks_.size();
    const auto kept = [&](std::size_t b) -> BlockCache<T>& { return cache.blocks[keep ? b : 0]; };
    for (std::size_t b = 0; b <= blocks; ++b) {
        linalg::parallel_for_row_blocks(x.rows, [&](std::size_t block, std::size_t first, std::size_t n) {
            if (b == 0) {
                linalg::multiply(const_rows(cache.x, first, n), packed.input, false,
                                 rows_of(cache.h, first, n));
            } else {
                end_block(packed, b - 1, block, n, kept(b - 1), cache);
            }
            if (b < blocks) return begin_block(packed, b, block, n, kept(b), cache);
            linalg::normalise_rows<T>(const_rows(cache.h, first, n), const_span(packed.output_shift),
                                      rows_of(cache.last, first, n),
                                      std::span<Real>(cache.last_inverse).subspan(first, n));
            linalg::multiply(const_rows(cache.last, first, n), packed.output.forward, false,
                             y.row_block(first, n));
            linalg::add_bias(y.row_block(first, n), const_span(packed.output.bias));
        });
        if (b == blocks) break;
        BlockCache<T>& block = kept(b);
        attention_forward<T>(block.qkv.view(), cache.bounds, shape_.heads, block.attended.view(),
                             block.log_sum.view(), cache.attention);
    }
}

template <class T>
void SetTransformer::backward(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                              ConstMatrixView<accumulator_t<T>> dy, Cache<T>& cache,
                              std::span<accumulator_t<T>> gradients,
                              const GradientSink* gradient_sink) const {
    using Real = accumulator_t<T>;
    const std::size_t n = cache.x.rows();
    const std::size_t width = shape_.width;
    core::check_shape("set_transformer.dy", dy.rows, dy.cols, n, shape_.outputs);
    const auto report = [&](const Tensor& first) {
        if (gradient_sink != nullptr) (*gradient_sink)(first.offset);
    };
    cache.dh.reshape(n, width);
    cache.dqkv.reshape(n, 3 * width);
    cache.dy.reshape(n, shape_.outputs);
    for (Matrix<T>* m : {&cache.dh_mlp, &cache.dh_attention, &cache.dz, &cache.dattended})
        m->reshape(n, width);
    if constexpr (!std::is_same_v<T, Real>) cache.dqkv_rounded.reshape(n, 3 * width);
    cache.column_sums.reshape(linalg::count_row_blocks(n), 6 * width);
    cache.segment_sums.reshape(cache.segments.all().size(), width);
    if (is_modulated()) {
        cache.dcondition.reshape(cache.shared.rows(), width);
        cache.dcondition.fill(0);
    }
    reserve_blocks(cache.running, 3 * width);

    output_backward(values, packed, dy, cache, gradients);
    report(output_norm_.gain());
    for (std::size_t b = blocks_.size(); b-- > 0;) {
        const BlockCache<T>& kept = cache.blocks[b];
        if (is_modulated())
            blocks_[b].modulation.begin_backward(cache.segments.all().size(), cache.dmodulation);
        mlp_backward(packed, b, cache);
        attention_backward<T>(kept.qkv.view(), cache.bounds, shape_.heads, kept.attended.view(),
                              kept.log_sum.view(), std::as_const(cache.dattended).view(), cache.dqkv.view(),
                              cache.attention);
        attention_input_backward(packed, b, cache);
        weights_backward(values, b, cache, gradients);
        cloud_backward(values, b, cache, gradients);
        report(first_tensor(blocks_[b]));
    }
    if (is_modulated()) condition_backward(cache, gradients);
    const MatrixView<Real> dweight = matrix_of(gradients, input_.weight());
    const WeightGradient<Real> input{std::as_const(cache.dh).view(), std::as_const(cache.x).view(), dweight};
    run_all<Real>({&input, 1});
    linalg::add_column_sums(std::as_const(cache.dh).view(), elements_of(gradients, input_.bias()));
    report(input_.weight());
}

// Computes dh before the last layer normalisation, and the gradients of the last layer.
template <class T>
void SetTransformer::output_backward(std::span<const accumulator_t<T>> values, const Packed<T>& packed,
                                     ConstMatrixView<accumulator_t<T>> dy, Cache<T>& cache,
                                     std::span<accumulator_t<T>> gradients) const {
    using Real = accumulator_t<T>;
    const std::size_t width = shape_.width;
    const std::size_t outputs = shape_.outputs;
    Matrix<Real> sums(linalg::count_row_blocks(dy.rows), outputs + width);
    linalg::parallel_for_row_blocks(dy.rows, [&](std::size_t block, std::size_t first, std::size_t n) {
        const std::span<Real> own_sums = sums.view().row_span(block);
        linalg::round_and_sum_rows<T>(dy.row_block(first, n), rows_of(cache.dy, first, n),
                                      own_sums.first(outputs));
        const MatrixView<Real> running = own_block(cache.running, n, width);
        linalg::multiply(const_rows(cache.dy, first, n), packed.output.backward, false, running);
        const MatrixView<Real> dh = rows_of(cache.dh, first, n);
        std::fill_n(dh.data, n * width, Real{0});
        linalg::normalise_rows_backward<T>(const_rows(cache.last, first, n),
                                           const_span(cache.last_inverse).subspan(first, n), running, dh,
                                           own_sums.last(width));
    });
    std::vector<Real> dbias(outputs, Real{0});
    linalg::add_column_sums(std::as_const(sums).view().col_block(0, outputs), std::span<Real>(dbias));
    cache.dweight_output.reshape(outputs, width);
    cache.dweight_output.fill(0);
    const WeightGradient<T> gradient{std::as_const(cache.dy).view(), std::as_const(cache.last).view(),
                                     cache.dweight_output.view()};
    run_all<T>({&gradient, 1});
    output_norm_.unfold_gradient(values, output_, {}, std::as_const(cache.dweight_output).view(),
                                 const_span(dbias), gradients);
}

// Propagates dh through the perceptron of a block and the linear layer after its attention. Columns of
// column_sums: dh after the block, dz, dh after the attention.
template <class T>
void SetTransformer::mlp_backward(const Packed<T>& packed, std::size_t b, Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    const std::size_t width = shape_.width;
    const PackedBlock<T>& block = packed.blocks[b];
    const CloudModulation& modulation = blocks_[b].modulation;
    const BlockCache<T>& kept = cache.blocks[b];
    linalg::parallel_for_row_blocks(
        cache.dh.rows(), [&](std::size_t index, std::size_t first, std::size_t n) {
            const auto segments = cache.segments.of(index);
            const std::span<Real> sums = cache.column_sums.view().row_span(index);
            std::ranges::fill(sums, Real{0});
            const MatrixView<Real> running = own_block(cache.running, n, width);
            const MatrixView<Real> dh = rows_of(cache.dh, first, n);
            // Rounds dh at the output of a branch, and computes the column sums.
            const auto branch_gradient = [&](CloudModulation::Branch branch, const Matrix<T>& output,
                                             Matrix<T>& to, std::span<Real> bias_sums) {
                if (!is_modulated())
                    return linalg::round_and_sum_rows<T>(dh, rows_of(to, first, n), bias_sums);
                modulation.gated_backward<T>(branch, segments, cache.modulation[b], cache.dh, output, to,
                                             bias_sums, cache.dmodulation);
            };
            branch_gradient(CloudModulation::mlp, kept.mlp_output, cache.dh_mlp, sums.first(width));
            linalg::multiply(const_rows(cache.dh_mlp, first, n), block.down.backward, false, running);
            linalg::leaky_relu_backward<T>(const_rows(kept.z, first, n), running, rows_of(cache.dz, first, n),
                                           sums.subspan(width, width));
            linalg::multiply(const_rows(cache.dz, first, n), block.up.backward, false, running);
            if (is_modulated()) {
                modulation.scale_and_shift_backward<T>(CloudModulation::mlp, segments, cache.modulation[b],
                                                       kept.mlp_input, running, cache.dmodulation);
                modulation.scale_and_shift<T>(CloudModulation::mlp, segments, cache.modulation[b],
                                              kept.mlp_input, cache.mlp_modulated);
            }
            // The sums of this step are not needed. Their place is that of dqkv, which is cleared later.
            linalg::normalise_rows_backward<T>(const_rows(kept.mlp_input, first, n),
                                               const_span(kept.mlp_inverse).subspan(first, n), running, dh,
                                               sums.subspan(3 * width, width));
            branch_gradient(CloudModulation::attention, kept.attention_output, cache.dh_attention,
                            sums.subspan(2 * width, width));
            if constexpr (std::is_same_v<T, Real>) {
                linalg::multiply(const_rows(cache.dh_attention, first, n), block.projection.backward, false,
                                 rows_of(cache.dattended, first, n));
            } else {
                linalg::multiply(const_rows(cache.dh_attention, first, n), block.projection.backward, false,
                                 running);
                linalg::round_and_sum_rows<T>(running, rows_of(cache.dattended, first, n),
                                              sums.subspan(3 * width, width));
            }
        });
}

// Propagates the gradient of queries, keys and values to dh. Writes their column sums, and those of the
// gradient of the sum h + W s + b for each segment.
template <class T>
void SetTransformer::attention_input_backward(const Packed<T>& packed, std::size_t b, Cache<T>& cache) const {
    using Real = accumulator_t<T>;
    const std::size_t width = shape_.width;
    const BlockCache<T>& kept = cache.blocks[b];
    linalg::parallel_for_row_blocks(cache.dh.rows(), [&](std::size_t index, std::size_t first,
                                                         std::size_t n) {
        const std::span<Real> sums = cache.column_sums.view().row_span(index).subspan(3 * width);
        std::ranges::fill(sums, Real{0});
        const MatrixView<Real> running = own_block(cache.running, n, width);
        Matrix<T>& rounded = [&]() -> Matrix<T>& {
            if constexpr (std::is_same_v<T, Real>) {
                return cache.dqkv;
            } else {
                return cache.dqkv_rounded;
            }
        }();
        linalg::round_and_sum_rows<T>(const_rows(cache.dqkv, first, n), rows_of(rounded, first, n), sums);
        linalg::multiply(const_rows(rounded, first, n), packed.blocks[b].qkv.backward, false, running);
        const auto segments = cache.segments.of(index);
        if (is_modulated()) {
            const CloudModulation& modulation = blocks_[b].modulation;
            modulation.scale_and_shift_backward<T>(CloudModulation::attention, segments, cache.modulation[b],
                                                   kept.attention_input, running, cache.dmodulation);
            modulation.scale_and_shift<T>(CloudModulation::attention, segments, cache.modulation[b],
                                          kept.attention_input, cache.attention_modulated);
        }
        for (const Segment& segment : segments) {
            const std::span<Real> segment_sums = cache.segment_sums.view().row_span(segment.index);
            std::ranges::fill(segment_sums, Real{0});
            linalg::normalise_rows_backward<T>(
                const_rows(kept.attention_input, segment.first, segment.count),
                const_span(kept.attention_inverse).subspan(segment.first, segment.count),
                running.row_block(segment.first - first, segment.count),
                rows_of(cache.dh, segment.first, segment.count), segment_sums);
        }
    });
}

// Adds the gradients of the weights, biases and layer normalisations of a block.
template <class T>
void SetTransformer::weights_backward(std::span<const accumulator_t<T>> values, std::size_t b,
                                      Cache<T>& cache, std::span<accumulator_t<T>> gradients) const {
    using Real = accumulator_t<T>;
    const std::size_t width = shape_.width;
    const Block& block = blocks_[b];
    const BlockCache<T>& kept = cache.blocks[b];
    cache.dweight_qkv.reshape(3 * width, width);
    cache.dweight_qkv.fill(0);
    cache.dweight_up.reshape(width, width);
    cache.dweight_up.fill(0);
    const Matrix<T>& dqkv = [&]() -> const Matrix<T>& {
        if constexpr (std::is_same_v<T, Real>) {
            return cache.dqkv;
        } else {
            return cache.dqkv_rounded;
        }
    }();
    const Matrix<T>& attention_input = is_modulated() ? cache.attention_modulated : kept.attention_input;
    const Matrix<T>& mlp_input = is_modulated() ? cache.mlp_modulated : kept.mlp_input;
    const std::array<WeightGradient<T>, 4> tasks{{
        {dqkv.view(), attention_input.view(), cache.dweight_qkv.view()},
        {std::as_const(cache.dh_attention).view(), kept.attended.view(),
         matrix_of(gradients, block.projection.weight())},
        {std::as_const(cache.dz).view(), mlp_input.view(), cache.dweight_up.view()},
        {std::as_const(cache.dh_mlp).view(), kept.z.view(), matrix_of(gradients, block.down.weight())},
    }};
    run_all<T>(tasks);
    cache.bias_sums.assign(6 * width, Real{0});
    linalg::add_column_sums(std::as_const(cache.column_sums).view(), std::span<Real>(cache.bias_sums));
    const auto sums = const_span(cache.bias_sums);
    linalg::add_scaled(Real{1}, sums.subspan(0, width), elements_of(gradients, block.down.bias()));
    linalg::add_scaled(Real{1}, sums.subspan(2 * width, width),
                       elements_of(gradients, block.projection.bias()));
    block.mlp_norm.unfold_gradient(values, block.up, {}, std::as_const(cache.dweight_up).view(),
                                   sums.subspan(width, width), gradients);
    block.attention_norm.unfold_gradient(values, block.qkv, query_row_scale(),
                                         std::as_const(cache.dweight_qkv).view(), sums.subspan(3 * width),
                                         gradients);
}

// Adds the gradients of the layer for the inputs of the clouds.
template <class T>
void SetTransformer::cloud_backward(std::span<const accumulator_t<T>> values, std::size_t b, Cache<T>& cache,
                                    std::span<accumulator_t<T>> gradients) const {
    if (shape_.cloud_inputs == 0 || cache.shared.rows() == 0) return;
    using Real = accumulator_t<T>;
    if (is_modulated()) {
        return blocks_[b].modulation.backward<Real>(values, cache.segments.all(),
                                                    std::as_const(cache.condition).view(), cache.dmodulation,
                                                    cache.dcondition.view(), gradients);
    }
    cache.dshift.reshape(cache.shared.rows(), shape_.width);
    cache.dshift.fill(0);
    for (const Segment& segment : cache.segments.all()) {
        linalg::add_scaled(Real{1}, std::as_const(cache.segment_sums).view().row_span(segment.index),
                           cache.dshift.view().row_span(segment.cloud));
    }
    blocks_[b].cloud.accumulate_gradient<Real>(cache.shared.view(), cache.dshift.view(), gradients);
}

// Adds the gradients of the layer before the modulations.
template <class T>
void SetTransformer::condition_backward(Cache<T>& cache, std::span<accumulator_t<T>> gradients) const {
    if (cache.shared.rows() == 0) return;
    using Real = accumulator_t<T>;
    std::vector<Real> sums(shape_.width, Real{0});  // accumulate_gradient() computes them again
    const MatrixView<Real> gradient = cache.dcondition.view();
    linalg::leaky_relu_backward<Real>(std::as_const(cache.condition).view(), gradient, gradient,
                                      std::span<Real>(sums));
    condition_.accumulate_gradient<Real>(std::as_const(cache.shared).view(), gradient, gradients);
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                       \
    template void SetTransformer::pack(std::span<const Real>, Packed<T>&) const;                           \
    template void SetTransformer::forward(std::span<const Real>, const Packed<T>&, ConstMatrixView<Real>,  \
                                          std::span<const std::size_t>, ConstMatrixView<Real>, bool,       \
                                          Cache<T>&, MatrixView<Real>) const;                              \
    template void SetTransformer::backward(std::span<const Real>, const Packed<T>&, ConstMatrixView<Real>, \
                                           Cache<T>&, std::span<Real>, const GradientSink*) const;
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::nn
