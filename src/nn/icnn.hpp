// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/parameters.hpp"

namespace popflow::nn {

/// Returns the slope s'(a) of the leaky ReLU s(a) = a for a > 0 and 0.2 a otherwise. The argument may be a or
/// s(a), because both have the same sign.
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

/// Input-convex neural network (ICNN), a potential y(x):
///
///     z_0 = s(A_0 x + b_0)^2
///     z_l = s(W_l z_{l-1} + A_l x + b_l)
///     y = W_L z_{L-1} + A_L x + b_L
///
/// where s is the leaky ReLU. y is convex in x if no element of any W is negative.
///
/// The network computes the value, the input gradient p = dy/dx, which is a transport map, and the parameter
/// gradients of both. Since s'' = 0 away from the kink, the gradient of sum_i <q_i, p(x_i)> needs one forward
/// pass of tangents, a' = W z' + A q, and only one second derivative, that of the square.
///
/// Shapes:  x, p, q [n, inputs], z [n, hidden], y [n, 1], A_l [hidden, inputs], W_l [hidden, hidden],
/// A_L [1, inputs], W_L [1, hidden].
/// Source:  Amos, Xu and Kolter, "Input convex neural networks", ICML 2017, eq. 2. The square and the sizes:
///          Bunne et al., "Learning single-cell perturbation responses using neural optimal transport",
///          Nature Methods 2023 (CellOT).
class Icnn {
  public:
    Icnn() = default;
    /// Adds `name.input_0.weight`, `name.input_0.bias`, ..., and `name.hidden_1.weight`, ... to the layout.
    Icnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape);

    /// Draws all A and W uniformly from [0, 0.1) and sets b to zero, as in CellOT. Stream: (seed, weights,
    /// offset of the tensor + key).
    void initialise_uniform(std::span<float> values, std::uint64_t seed, std::uint64_t key) const;
    /// Draws random W and sets A and b so that p(x) = x wherever every marker is above -identity_offset.
    void initialise_identity(std::span<float> values, std::uint64_t seed, std::uint64_t key) const;
    static constexpr double identity_offset = 2;

    /// Intermediate results of forward() and backward() that the gradients reuse.
    template <class Real>
    struct Cache {
        linalg::Matrix<Real> root;             ///< s(A_0 x + b_0), the square root of z_0
        std::vector<linalg::Matrix<Real>> z;   ///< output z_l of each hidden layer
        std::vector<linalg::Matrix<Real>> da;  ///< dy/d(argument of s) of each hidden layer
        linalg::Matrix<Real> dz0;              ///< dy/dz_0
        linalg::Matrix<Real> tangent;
        linalg::Matrix<Real> tangent_above;
    };

    /// Computes y(x). Overwrites y. @throws ShapeMismatch
    template <class Real>
    void forward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, Cache<Real>& cache,
                 linalg::MatrixView<Real> y) const;
    /// Computes the derivatives of y with respect to each layer. Call forward() first.
    template <class Real>
    void backward(std::span<const Real> values, Cache<Real>& cache) const;
    /// Computes p = dy/dx. Overwrites p. Call backward() first.
    template <class Real>
    void input_gradient(std::span<const Real> values, const Cache<Real>& cache,
                        linalg::MatrixView<Real> p) const;
    /// Adds the parameter gradient of weight * sum_i y(x_i). Call backward() first.
    template <class Real>
    void add_value_gradient(linalg::ConstMatrixView<Real> x, const Cache<Real>& cache, Real weight,
                            std::span<Real> gradients) const;
    /// Adds the parameter gradient of sum_i <q_i, p(x_i)> for constant q. Call backward() first.
    template <class Real>
    void add_map_gradient(std::span<const Real> values, linalg::ConstMatrixView<Real> x,
                          linalg::ConstMatrixView<Real> q, Cache<Real>& cache,
                          std::span<Real> gradients) const;

    /// Returns the penalty sum_l || max(-W_l, 0) ||_F and adds its gradient. It is zero if y is convex.
    template <class Real>
    Real add_penalty(std::span<const Real> values, std::span<Real> gradients) const;
    /// Makes y convex by setting W_l = max(W_l, 0), the nearest non-negative weights.
    void clamp(std::span<float> values) const;

    const IcnnShape& shape() const { return shape_; }
    /// A_l, l = 0, ..., layers.
    const Tensor& input_weight(std::size_t l) const { return input_weight_[l]; }
    /// b_l, l = 0, ..., layers.
    const Tensor& bias(std::size_t l) const { return bias_[l]; }
    /// W_l, l = 1, ..., layers.
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
