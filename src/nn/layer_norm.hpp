// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "nn/linear.hpp"

namespace popflow::nn {

/// Factor of the first rows of a weight, such as the scale of the queries of an attention.
struct RowScale {
    std::size_t rows = 0;  ///< number of rows that are scaled
    double factor = 1;
};

/// Gain and bias of a layer normalisation, y = gain xhat + bias, where xhat are the normalised rows of
/// linalg::normalise_rows(). A linear layer follows.
///
/// Gain and bias are never applied to the rows. They are folded into the linear layer instead:
/// W y + b = W' xhat + b' with W' = W diag(gain) and b' = W bias + b.
class LayerNorm {
  public:
    LayerNorm() = default;
    /// Adds `name.weight`, the gain, and `name.bias` to the layout.
    LayerNorm(ParameterLayout& layout, const std::string& name, std::size_t width);

    /// Sets the gain to one and the bias to zero.
    void initialise(std::span<float> values) const;

    /// Computes W' [out, width] and b' [out] of the linear layer that follows. Multiplies the rows of
    /// `scale`.
    /// @throws ShapeMismatch
    template <class Real>
    void fold(std::span<const Real> values, const Linear& next, const RowScale& scale,
              linalg::MatrixView<Real> weight, std::span<Real> bias) const;

    /// Adds the gradients of gain and bias, and of W and b, given those of W' and b'.
    ///
    /// Shapes:  dweight [out, width], dbias [out].
    /// @throws ShapeMismatch
    template <class Real>
    void unfold_gradient(std::span<const Real> values, const Linear& next, const RowScale& scale,
                         linalg::ConstMatrixView<Real> dweight, std::span<const Real> dbias,
                         std::span<Real> gradients) const;

    const Tensor& gain() const { return gain_; }
    const Tensor& bias() const { return bias_; }

  private:
    Tensor gain_;
    Tensor bias_;
};

}  // namespace popflow::nn
