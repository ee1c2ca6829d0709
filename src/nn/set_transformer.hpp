// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/packed_gemm.hpp"
#include "nn/attention.hpp"
#include "nn/cloud_modulation.hpp"
#include "nn/cloud_segments.hpp"
#include "nn/gradient_sink.hpp"
#include "nn/layer_norm.hpp"

namespace popflow::nn {

/// How the inputs of a cloud enter each block of a SetTransformer.
enum class CloudInputs {
    added,      ///< added before the layer normalisation of the attention
    modulation  ///< adaptive layer normalisation of both branches, see CloudModulation
};

/// Sizes of a SetTransformer.
struct SetTransformerShape {
    std::size_t point_inputs = 0;  ///< inputs of each point
    std::size_t cloud_inputs = 0;  ///< inputs that all points of a cloud share
    CloudInputs use = CloudInputs::added;
    std::size_t width = 128;  ///< a multiple of `heads`
    std::size_t blocks = 4;
    std::size_t heads = 4;
    std::size_t outputs = 0;
};

/// Pre-norm transformer on sets of points: each branch starts with a layer normalisation. It has no
/// positional encoding and no dropout. The outputs of a cloud are equivariant under permutations of its
/// points:
///
///     h = W x + b
///     for each block:
///         h = h + attention(LN(h + W s + b))
///         h = h + W LeakyReLU(W LN(h) + b) + b
///     y = W LN(h) + b
///
/// where every W, b and LN has parameters of its own, s are the inputs of the cloud, and the attention has a
/// linear layer to queries, keys and values, scaled dot-product attention within the cloud (see
/// attention.hpp) and a linear layer to its output. Without cloud inputs, LN(h) replaces LN(h + W s + b).
///
/// With CloudInputs::modulation, no W s + b is added to h. Instead, a = LeakyReLU(W s + b) sets the
/// modulation of each block, see CloudModulation. Its scale and shift precede gain and bias of the layer
/// normalisation.
///
/// T is the type to which the operands of products with one row per point are rounded: float, bfloat16, or
/// double for gradient checks. The first layer multiplies without rounding. The sum h, all sums of products
/// and all parameter gradients have the type Real in which products of T are accumulated. Results are bitwise
/// identical for any number of threads.
///
/// Clouds of a batch may differ in size and may be empty. Cloud c has rows [bounds[c], bounds[c + 1]).
///
/// Shapes:  x [n, point_inputs], bounds [clouds + 1], s [clouds, cloud_inputs], h [n, width], y [n, outputs].
/// Source: Xiong et al., "On layer normalization in the transformer architecture", ICML 2020, with the
/// inputs of a cloud as in Haviv et al., "Wasserstein flow matching", 2024.
class SetTransformer {
  public:
    SetTransformer() = default;
    /// @throws ShapeMismatch if `width` is not a multiple of `heads`
    SetTransformer(ParameterLayout& layout, const std::string& name, const SetTransformerShape& shape);

    /// Draws weights and biases with Linear::initialise_uniform(). Layer normalisations have gain 1 and bias
    /// 0, modulations have weights and biases 0. The weights of the last layer are normal with variance 1e-5
    /// / width and its biases are zero, so that the output is almost zero.
    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// Sets weights and bias of the last layer to zero, so that the output is zero.
    void zero_output(std::span<float> values) const;

    /// Weight of a linear layer, packed for the kernels, with the layer normalisation before it.
    template <class T>
    struct PackedLayer {
        linalg::PackedMatrix<T> forward;   ///< W^T
        linalg::PackedMatrix<T> backward;  ///< W
        std::vector<linalg::accumulator_t<T>> bias;
    };
    template <class T>
    struct PackedBlock {
        PackedLayer<T> qkv, projection, up, down;
        /// Sum of the biases so far, which the stored h lacks, before each layer normalisation, [width]
        std::vector<linalg::accumulator_t<T>> attention_shift, mlp_shift;
    };
    /// Weights packed for the kernels, once for each set of weights. Concurrent reads are thread-safe.
    template <class T>
    struct Packed {
        linalg::PackedMatrix<linalg::accumulator_t<T>> input;  ///< W^T of the first layer
        std::vector<PackedBlock<T>> blocks;
        PackedLayer<T> output;
        std::vector<linalg::accumulator_t<T>> output_shift;  ///< as in PackedBlock
    };
    template <class T>
    void pack(std::span<const linalg::accumulator_t<T>> values, Packed<T>& packed) const;

    /// Activations of one block that forward() keeps for backward().
    template <class T>
    struct BlockCache {
        using Real = linalg::accumulator_t<T>;
        linalg::Matrix<T> attention_input;  ///< normalised rows, [n, width]
        linalg::Matrix<T> qkv;              ///< queries, keys and values, [n, 3 width]
        linalg::Matrix<T> attended;         ///< output of the heads, [n, width]
        linalg::Matrix<T> mlp_input;        ///< normalised rows, [n, width]
        linalg::Matrix<T> z;                ///< output of LeakyReLU, [n, width]
        linalg::Matrix<Real> log_sum;       ///< logarithm of the sum of 2^score of each query, [heads, n]
        std::vector<Real> attention_inverse, mlp_inverse;  ///< see linalg::normalise_rows(), [n]
        linalg::Matrix<T> attention_output,
            mlp_output;  ///< outputs of the branches before their gates, [n, width]
    };

    /// Activations that forward() keeps for backward(), and scratch buffers. Grows to the largest batch and
    /// is then reused.
    template <class T>
    struct Cache {
        using Real = linalg::accumulator_t<T>;
        // Inputs
        linalg::Matrix<Real> x, shared;
        std::vector<std::size_t> bounds;
        CloudSegments segments;
        // Activations
        std::vector<BlockCache<T>> blocks;
        linalg::Matrix<Real> h;  ///< without the biases
        std::vector<linalg::Matrix<Real>>
            shift;                       ///< added before the attention of each block, [clouds, width]
        linalg::Matrix<Real> condition;  ///< input of the modulations, [clouds, width]
        std::vector<linalg::Matrix<Real>> modulation;  ///< one matrix for each block, [clouds, 6 width]
        linalg::Matrix<T> last;                        ///< normalised rows before the last layer
        std::vector<Real> last_inverse;
        // Gradients
        linalg::Matrix<Real> dh, dqkv;
        linalg::Matrix<T> dy;            ///< rounded
        linalg::Matrix<T> dh_mlp;        ///< dh after the block, rounded
        linalg::Matrix<T> dh_attention;  ///< dh after the attention, rounded
        linalg::Matrix<T> dz, dattended, dqkv_rounded;
        linalg::Matrix<Real> column_sums;  ///< partial sums of the gradients of biases, [row blocks, 6 width]
        linalg::Matrix<Real> segment_sums;  ///< column sums of each segment, [segments, width]
        linalg::Matrix<Real> dshift;        ///< [clouds, width]
        linalg::Matrix<Real> dcondition;    ///< [clouds, width]
        CloudModulation::Gradient<Real> dmodulation;
        linalg::Matrix<Real> dweight_qkv, dweight_up, dweight_output;  ///< with the layer normalisation
        std::vector<Real> bias_sums;                                   ///< [6 width]
        // Scratch
        linalg::Matrix<T> attention_modulated,
            mlp_modulated;  ///< scaled and shifted rows of a block, [n, width]
        AttentionWorkspace<T> attention;
        std::vector<linalg::Matrix<Real>> running;  ///< current block of each thread, [block_rows, 3 width]
    };

    /// Computes y. Overwrites it.
    /// @param keep  whether backward() follows, which needs the activations of all blocks
    /// @throws ShapeMismatch
    template <class T>
    void forward(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                 linalg::ConstMatrixView<linalg::accumulator_t<T>> x, std::span<const std::size_t> bounds,
                 linalg::ConstMatrixView<linalg::accumulator_t<T>> shared, bool keep, Cache<T>& cache,
                 linalg::MatrixView<linalg::accumulator_t<T>> y) const;

    /// Adds the parameter gradients to `gradients`. Weights must be those of the forward() that filled the
    /// cache.
    /// @param dy  gradient of y, [n, outputs]
    /// @param gradient_sink  if not null, called whenever the gradients of further layers are final
    /// @throws ShapeMismatch
    template <class T>
    void backward(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                  linalg::ConstMatrixView<linalg::accumulator_t<T>> dy, Cache<T>& cache,
                  std::span<linalg::accumulator_t<T>> gradients,
                  const GradientSink* gradient_sink = nullptr) const;

    const SetTransformerShape& shape() const { return shape_; }

  private:
    /// Layers of one block.
    struct Block {
        Linear cloud;                ///< for CloudInputs::added
        CloudModulation modulation;  ///< for CloudInputs::modulation
        LayerNorm attention_norm;
        Linear qkv, projection;
        LayerNorm mlp_norm;
        Linear up, down;
    };

    bool is_modulated() const { return shape_.cloud_inputs > 0 && shape_.use == CloudInputs::modulation; }
    const Tensor& first_tensor(const Block& block) const;
    RowScale query_row_scale() const;
    template <class T>
    void set_inputs(linalg::ConstMatrixView<linalg::accumulator_t<T>> x, std::span<const std::size_t> bounds,
                    linalg::ConstMatrixView<linalg::accumulator_t<T>> shared, bool keep,
                    Cache<T>& cache) const;
    template <class T>
    void compute_shifts(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                        Cache<T>& cache) const;
    template <class T>
    void compute_modulations(std::span<const linalg::accumulator_t<T>> values, Cache<T>& cache) const;
    template <class T>
    void begin_block(const Packed<T>& packed, std::size_t b, std::size_t row_block, std::size_t n,
                     BlockCache<T>& kept, Cache<T>& cache) const;
    template <class T>
    void end_block(const Packed<T>& packed, std::size_t b, std::size_t row_block, std::size_t n,
                   BlockCache<T>& kept, Cache<T>& cache) const;
    template <class T>
    void mlp_backward(const Packed<T>& packed, std::size_t b, Cache<T>& cache) const;
    template <class T>
    void attention_input_backward(const Packed<T>& packed, std::size_t b, Cache<T>& cache) const;
    template <class T>
    void weights_backward(std::span<const linalg::accumulator_t<T>> values, std::size_t b, Cache<T>& cache,
                          std::span<linalg::accumulator_t<T>> gradients) const;
    template <class T>
    void cloud_backward(std::span<const linalg::accumulator_t<T>> values, std::size_t b, Cache<T>& cache,
                        std::span<linalg::accumulator_t<T>> gradients) const;
    template <class T>
    void condition_backward(Cache<T>& cache, std::span<linalg::accumulator_t<T>> gradients) const;
    template <class T>
    void output_backward(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                         linalg::ConstMatrixView<linalg::accumulator_t<T>> dy, Cache<T>& cache,
                         std::span<linalg::accumulator_t<T>> gradients) const;

    SetTransformerShape shape_;
    Linear input_;
    Linear condition_;  ///< for CloudInputs::modulation
    std::vector<Block> blocks_;
    LayerNorm output_norm_;
    Linear output_;
};

}  // namespace popflow::nn
