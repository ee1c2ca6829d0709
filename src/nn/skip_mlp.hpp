// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "nn/linear.hpp"

namespace popflow::nn {

/// Sizes of a SkipMlp.
struct SkipMlpShape {
    std::size_t shared_before = 0;  ///< inputs that all rows share, placed before those of the row
    std::size_t row_inputs = 0;     ///< inputs of each row
    std::size_t shared_after = 0;   ///< inputs that all rows share, placed after those of the row
    std::size_t hidden = 512;
    std::size_t layers = 7;  ///< hidden layers, the first included
    std::size_t outputs = 0;
    std::size_t inputs() const { return shared_before + row_inputs + shared_after; }
};

/// Multi-layer perceptron with skip connections:
/// z1 = SELU(W1 [a | x | s] + b1), z = SELU(W z + b + z), y = W z + b.
///
/// The inputs a and s are one vector for all rows (the embedding and the treatment of a population): their
/// part of the first layer is computed once, not once per cell.
///
/// Shapes:  a [shared_before], x [n, row_inputs], s [shared_after], z [n, hidden], y [n, outputs].
class SkipMlp {
  public:
    SkipMlp() = default;
    SkipMlp(ParameterLayout& layout, const std::string& name, const SkipMlpShape& shape);

    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// What forward() leaves for backward(): the output of each hidden layer; and the scratch of backward().
    template <class Real>
    struct Cache {
        std::vector<linalg::Matrix<Real>> z;
        linalg::Matrix<Real> dz;
        linalg::Matrix<Real> dz_below;
        std::vector<Real> shared_bias;
        std::vector<Real> dshared;
    };

    /// y is overwritten. @throws ShapeMismatch
    template <class Real>
    void forward(std::span<const Real> values, std::span<const Real> before, linalg::ConstMatrixView<Real> x,
                 std::span<const Real> after, Cache<Real>& cache, linalg::MatrixView<Real> y) const;

    /// Parameter gradients accumulate; dbefore, dLoss/da, is overwritten (it may be empty if a is).
    /// Same inputs as the forward() that filled the cache.
    template <class Real>
    void backward(std::span<const Real> values, std::span<const Real> before, linalg::ConstMatrixView<Real> x,
                  std::span<const Real> after, linalg::ConstMatrixView<Real> dy, Cache<Real>& cache,
                  std::span<Real> gradients, std::span<Real> dbefore) const;

    const SkipMlpShape& shape() const { return shape_; }

  private:
    template <class Real>
    void first_backward(std::span<const Real> values, std::span<const Real> before,
                        linalg::ConstMatrixView<Real> x, std::span<const Real> after, Cache<Real>& cache,
                        std::span<Real> gradients, std::span<Real> dbefore) const;

    SkipMlpShape shape_;
    Linear first_;
    std::vector<Linear> hidden_;
    Linear last_;
};

}  // namespace popflow::nn
