// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/parameters.hpp"

namespace popflow::nn {

/// Slope s'(a) of the leaky ReLU s(a) = a for a > 0 and 0.2 a otherwise; a or s(a) serves as the argument.
template <class Real>
Real leaky_slope(Real a) {
    return a > 0 ? Real{1} : static_cast<Real>(0.2);
}

/// Sizes of an Icnn.
struct IcnnShape {
    std::size_t inputs = 0;
    std::size_t hidden = 64;
    std::size_t layers = 4;  ///< hidden layers
};

/// Input-convex neural network, a potential y(x):
/// z_0 = s(A_0 x + b_0)^2, z_l = s(W_l z_{l-1} + A_l x + b_l), y = W_L z_{L-1} + A_L x + b_L,
/// with s the leaky ReLU. y is convex in x if no element of any W is negative.
///
/// Besides the value it gives the input gradient p = dy/dx, which is a transport map, and the gradients of
/// both in the parameters. As s'' = 0 away from the kink, the gradient of sum_i <q_i, p(x_i)> needs one sweep
/// of tangents a' = W z' + A q through the layers, and one second derivative, that of the square.
///
/// Shapes:  x, p, q [n, inputs], z [n, hidden], y [n, 1], A_l [hidden, inputs], W_l [hidden, hidden],
/// A_L [1, inputs], W_L [1, hidden].
/// Source:  Amos, Xu and Kolter, "Input convex neural networks", ICML 2017, eq. 2; with the square and the
/// sizes of Bunne et al., "Learning single-cell perturbation responses using neural optimal transport",
/// Nature Methods 2023 (CellOT).
class Icnn {
  public:
    Icnn() = default;
    /// Adds `name.input_0.weight`, `name.input_0.bias`, ..., and `name.hidden_1.weight`, ... to the layout.
    Icnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape);

    /// All A and W uniform in [0, 0.1), b zero, as published. Stream: (seed, weights, offset + key).
    void initialise_uniform(std::span<float> values, std::uint64_t seed, std::uint64_t key) const;
    /// p(x) = x wherever each marker is above -identity_offset, from random W.
    void initialise_identity(std::span<float> values, std::uint64_t seed, std::uint64_t key) const;
    static constexpr double identity_offset = 2;

    /// What forward() and backward() leave for what follows them.
    template <class Real>
    struct Cache {
        linalg::Matrix<Real> root;             ///< s(A_0 x + b_0), the root of z_0
        std::vector<linalg::Matrix<Real>> z;   ///< of each hidden layer
        std::vector<linalg::Matrix<Real>> da;  ///< dy/d(argument of s) of each hidden layer
        linalg::Matrix<Real> dz0;              ///< dy/dz_0
        linalg::Matrix<Real> tangent;
        linalg::Matrix<Real> tangent_above;
    };

    /// y(x); y is overwritten. @throws ShapeMismatch
    template <class Real>
    void forward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, Cache<Real>& cache,
                 linalg::MatrixView<Real> y) const;
    /// The derivatives of y in each layer, from a forward().
    template <class Real>
    void backward(std::span<const Real> values, Cache<Real>& cache) const;
    /// p = dy/dx, from a backward(); p is overwritten.
    template <class Real>
    void input_gradient(std::span<const Real> values, const Cache<Real>& cache,
                        linalg::MatrixView<Real> p) const;
    /// Gradient of weight * sum_i y(x_i), from a backward(); accumulates.
    template <class Real>
    void add_value_gradient(linalg::ConstMatrixView<Real> x, const Cache<Real>& cache, Real weight,
                            std::span<Real> gradients) const;
    /// Gradient of sum_i <q_i, p(x_i)> for constant q, from a backward(); accumulates.
    template <class Real>
    void add_map_gradient(std::span<const Real> values, linalg::ConstMatrixView<Real> x,
                          linalg::ConstMatrixView<Real> q, Cache<Real>& cache,
                          std::span<Real> gradients) const;

    /// sum_l || max(-W_l, 0) ||_F; its gradient accumulates. Zero for a convex potential.
    template <class Real>
    Real add_penalty(std::span<const Real> values, std::span<Real> gradients) const;
    /// W_l = max(W_l, 0): the nearest convex potential.
    void clamp(std::span<float> values) const;

    const IcnnShape& shape() const { return shape_; }
    /// Of layer l: A_l and b_l, l = 0..layers; W_l, l = 1..layers.
    const Tensor& input_weight(std::size_t l) const { return input_weight_[l]; }
    const Tensor& bias(std::size_t l) const { return bias_[l]; }
    const Tensor& hidden_weight(std::size_t l) const { return hidden_weight_[l - 1]; }

  private:
    void fill_uniform(std::span<float> values, const Tensor& tensor, double low, double high,
                      std::uint64_t seed, std::uint64_t key) const;

    IcnnShape shape_;
    std::vector<Tensor> input_weight_;
    std::vector<Tensor> bias_;
    std::vector<Tensor> hidden_weight_;
};

}  // namespace popflow::nn
