// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/packed_gemm.hpp"
#include "nn/gradient_sink.hpp"
#include "nn/linear.hpp"

namespace popflow::nn {

/// Sizes of a SkipMlp.
struct SkipMlpShape {
    std::size_t shared_before = 0;  ///< inputs that all rows share, placed before those of the row
    std::size_t row_inputs = 0;     ///< inputs of each row
    std::size_t shared_after = 0;   ///< inputs that all rows share, placed after those of the row
    std::size_t hidden = 512;
    std::size_t layers = 7;  ///< number of hidden layers, including the first
    std::size_t outputs = 0;
    std::size_t inputs() const { return shared_before + row_inputs + shared_after; }
};

/// Multi-layer perceptron with skip connections:
/// z1 = SELU(W1 [a | x | s] + b1), z = SELU(W z + b + z), y = W z + b.
///
/// All rows share the inputs a and s (the embedding and the treatment of a population). Their contribution to
/// the first layer is computed once, not once per cell. A block of rows passes through all layers while it is
/// in the cache of a core.
///
/// T is the type to which the operands of products with one row per cell are rounded: float, bfloat16, or
/// double for gradient checks. Sums, the skip connections of a block and all parameter gradients have the
/// type Real in which products of T are accumulated.
///
/// Shapes:  a [shared_before], x [n, row_inputs], s [shared_after], z [n, hidden], y [n, outputs].
class SkipMlp {
  public:
    SkipMlp() = default;
    SkipMlp(ParameterLayout& layout, const std::string& name, const SkipMlpShape& shape);

    /// Draws all weights and biases with Linear::initialise_uniform().
    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// Sets weights and bias of the last layer to zero, so that the output is zero.
    void zero_output(std::span<float> values) const;

    /// Weights packed for the kernels, once for each set of weights. Concurrent reads are thread-safe.
    template <class T>
    struct Packed {
        std::vector<linalg::PackedMatrix<T>> forward;   ///< W^T of each layer, without the shared inputs
        std::vector<linalg::PackedMatrix<T>> backward;  ///< W of each layer except the first
    };
    template <class T>
    void pack(std::span<const linalg::accumulator_t<T>> values, Packed<T>& packed) const;

    /// Activations that forward() keeps for backward(), and scratch buffers. Grows to the largest batch and
    /// is then reused.
    template <class T>
    struct Cache {
        using Real = linalg::accumulator_t<T>;
        linalg::Matrix<T> x;                        ///< row inputs
        std::vector<linalg::Matrix<T>> z;           ///< outputs of the hidden layers
        std::vector<linalg::Matrix<T>> dz;          ///< dLoss / d(input of each SELU)
        linalg::Matrix<T> dy;                       ///< dLoss / dy
        std::vector<linalg::Matrix<Real>> running;  ///< current block of each thread, before rounding to T
        linalg::Matrix<Real> column_sums;           ///< column sums of dz, [row blocks, layers hidden]
        std::vector<Real> shared_bias;              ///< first bias plus the contribution of the shared inputs
        std::vector<Real> dshared;                  ///< gradient with respect to shared_bias
    };

    /// Computes y. Overwrites it.
    /// @param before, after  shared inputs a and s
    /// @param keep  whether backward() follows, which needs the activations of all layers
    /// @throws ShapeMismatch
    template <class T>
    void forward(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                 std::span<const linalg::accumulator_t<T>> before,
                 linalg::ConstMatrixView<linalg::accumulator_t<T>> x,
                 std::span<const linalg::accumulator_t<T>> after, bool keep, Cache<T>& cache,
                 linalg::MatrixView<linalg::accumulator_t<T>> y) const;

    /// Adds the parameter gradients to `gradients` and computes dbefore = dLoss/da. Weights and shared inputs
    /// must be those of the forward() that filled the cache.
    /// @param dbefore  overwritten; may be empty if a is empty
    /// @param gradient_sink  if not null, called whenever the gradients of further layers are final
    template <class T>
    void backward(std::span<const linalg::accumulator_t<T>> values, const Packed<T>& packed,
                  std::span<const linalg::accumulator_t<T>> before,
                  std::span<const linalg::accumulator_t<T>> after,
                  linalg::ConstMatrixView<linalg::accumulator_t<T>> dy, Cache<T>& cache,
                  std::span<linalg::accumulator_t<T>> gradients, std::span<linalg::accumulator_t<T>> dbefore,
                  const GradientSink* gradient_sink = nullptr) const;

    const SkipMlpShape& shape() const { return shape_; }
    /// Hidden layers, followed by the output layer.
    const std::vector<Linear>& layers() const { return layers_; }

  private:
    template <class Real>
    void add_shared(std::span<const Real> values, std::span<const Real> before, std::span<const Real> after,
                    std::vector<Real>& bias) const;
    template <class T, class Real>
    void inputs_backward(const Packed<T>& packed, linalg::ConstMatrixView<Real> dy, Cache<T>& cache) const;
    template <class T, class Real>
    void weights_backward(std::size_t first_layer, std::size_t end_layer, Cache<T>& cache,
                          std::span<Real> gradients) const;
    template <class T, class Real>
    void biases_backward(linalg::ConstMatrixView<Real> dy, Cache<T>& cache, std::span<Real> gradients) const;
    template <class Real>
    void shared_backward(std::span<const Real> values, std::span<const Real> before,
                         std::span<const Real> after, std::span<const Real> dshared,
                         std::span<Real> gradients, std::span<Real> dbefore) const;

    SkipMlpShape shape_;
    std::vector<Linear> layers_;  ///< hidden layers, followed by the output layer
};

}  // namespace popflow::nn
