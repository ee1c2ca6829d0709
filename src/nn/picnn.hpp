// SPDX-License-Identifier: MIT
#pragma once

#include "nn/icnn.hpp"

namespace popflow::nn {

/// Partially input-convex neural network, a potential y(x | c): convex in x, not in the context c.
///
/// u_0 = c, u_{l+1} = s(P_l u_l + p_l); layer l of an Icnn with
/// A_l (x o (Q_l u_l + q_l)) + b_l + S_l u_l   and   W_l (z o softplus(R_l u_l + r_l)), o element by element.
///
/// All cells of a population share c, so the gates turn A, b and W once per population: bind() makes the
/// weights of the Icnn of this context, unbind() takes the gradient in them back to the parameters and costs
/// nothing per cell. A potential without a context is the Icnn itself.
///
/// Source: Amos, Xu and Kolter, "Input convex neural networks", ICML 2017, eq. 3, with softplus as the
/// non-negative gate as in Bunne, Krause and Cuturi, "Supervised training of conditional Monge maps", NeurIPS
/// 2022.
class Picnn {
  public:
    Picnn() = default;
    /// @param context  length of c; 0: an Icnn
    Picnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape, std::size_t context);

    /// Initial weights of the Icnn; gates that are 1 and shifts that are 0 on the whole, and vary with c.
    void initialise(std::span<float> values, std::uint64_t seed, bool identity) const;

    /// The potential of one context.
    template <class Real>
    struct Bound {
        linalg::AlignedVector<Real> values;     ///< of the Icnn of this context
        linalg::AlignedVector<Real> gradients;  ///< in them
        std::vector<std::vector<Real>> u;
        std::vector<std::vector<Real>> gate_x;
        std::vector<std::vector<Real>> gate_z;  ///< before softplus; [0] is empty
        std::vector<Real> du;
        std::vector<Real> du_below;
        std::vector<Real> dgate;
    };

    /// Binds a context; gradients in the bound weights start at zero. @throws ShapeMismatch
    template <class Real>
    void bind(std::span<const Real> values, std::span<const Real> context, Bound<Real>& bound) const;
    /// Adds the gradients in the bound weights to those of the parameters.
    template <class Real>
    void unbind(std::span<const Real> values, Bound<Real>& bound, std::span<Real> gradients) const;

    const Icnn& icnn() const { return icnn_; }
    /// Where the parameters lie in the layout.
    std::size_t offset() const { return offset_; }
    std::size_t size() const { return size_; }
    /// The parameters A, b and W, of the layout of icnn(): where clamp and penalty apply.
    template <class Real>
    std::span<Real> icnn_part(std::span<Real> buffer) const {
        return buffer.subspan(offset_, icnn_layout_.size());
    }

  private:
    // A matrix and, where it has one, a bias, applied to u.
    struct Map {
        Tensor weight;
        Tensor bias;
    };
    template <class Real>
    void apply(std::span<const Real> values, const Map& map, std::span<const Real> u,
               std::vector<Real>& out) const;
    template <class Real>
    void apply_backward(std::span<const Real> values, const Map& map, std::span<const Real> u,
                        std::span<const Real> dout, std::span<Real> gradients, std::span<Real> du) const;
    template <class Real>
    void bind_layer(std::span<const Real> values, std::size_t l, Bound<Real>& bound) const;
    template <class Real>
    void unbind_layer(std::span<const Real> values, std::size_t l, Bound<Real>& bound,
                      std::span<Real> gradients) const;

    ParameterLayout icnn_layout_;
    Icnn icnn_;
    std::size_t context_ = 0;
    std::size_t offset_ = 0;
    std::size_t size_ = 0;
    std::vector<Map> path_;    ///< P, p
    std::vector<Map> gate_x_;  ///< Q, q
    std::vector<Map> gate_z_;  ///< R, r; of layers 1, 2, ...
    std::vector<Map> shift_;   ///< S
};

}  // namespace popflow::nn
