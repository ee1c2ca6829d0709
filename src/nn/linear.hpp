// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "nn/parameters.hpp"

namespace popflow::nn {

/// Linear layer y = x W^T + b.
///
/// Shapes:  x [n, in], W [out, in], b [1, out], y [n, out]. Rows are cells.
class Linear {
  public:
    Linear() = default;
    /// Adds `name.weight` and `name.bias` to the layout.
    Linear(ParameterLayout& layout, const std::string& name, std::size_t in, std::size_t out);

    /// Draws W and b uniformly from +-1/sqrt(in), the default of PyTorch.
    /// Stream: (seed, weights, offset of the tensor).
    void initialise_uniform(std::span<float> values, std::uint64_t seed) const;
    /// Draws W uniformly from +-sqrt(6 / (in + out)) and sets b to zero. Stream: as above.
    /// Source: Glorot and Bengio, AISTATS 2010, eq. 16.
    void initialise_glorot(std::span<float> values, std::uint64_t seed) const;

    /// Computes y = x W^T without the bias, which the caller adds together with its activation. Overwrites y.
    /// @throws ShapeMismatch if x does not have `in` columns
    template <class Real>
    void multiply(std::span<const Real> values, linalg::ConstMatrixView<Real> x,
                  linalg::MatrixView<Real> y) const;

    /// Adds the parameter gradients: dW += dy^T x, db += column sums of dy.
    template <class Real>
    void accumulate_gradient(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> dy,
                             std::span<Real> gradients) const;

    /// Computes the input gradient: dx = dy W + beta dx.
    template <class Real>
    void input_gradient(std::span<const Real> values, linalg::ConstMatrixView<Real> dy, Real beta,
                        linalg::MatrixView<Real> dx) const;

    const Tensor& weight() const { return weight_; }
    const Tensor& bias() const { return bias_; }
    std::size_t in() const { return weight_.cols; }
    std::size_t out() const { return weight_.rows; }

  private:
    Tensor weight_;
    Tensor bias_;
};

}  // namespace popflow::nn
