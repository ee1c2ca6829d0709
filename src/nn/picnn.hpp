// SPDX-License-Identifier: MIT
#pragma once

#include "nn/icnn.hpp"

namespace popflow::nn {

/// Partially input-convex neural network (PICNN), a potential y(x | c): convex in x, not in the context c.
///
///     u_0 = c,  u_{l+1} = s(P_l u_l + p_l)
///
/// Layer l is that of an Icnn in which A_l x + b_l becomes A_l (x o (Q_l u_l + q_l)) + b_l + S_l u_l, and W_l
/// z becomes W_l (z o softplus(R_l u_l + r_l)). The operator o is the product element by element.
///
/// All cells of a population share c. Hence the gates are applied to A, b and W once per population: bind()
/// computes the weights of the Icnn for this context. unbind() maps the gradient with respect to these
/// weights back to the parameters. Neither costs anything per cell. A potential without a context is the Icnn
/// itself.
///
/// Source:  Amos, Xu and Kolter, "Input convex neural networks", ICML 2017, eq. 3. Softplus as the
/// non-negative
///          gate: Bunne, Krause and Cuturi, "Supervised training of conditional Monge maps", NeurIPS 2022.
class Picnn {
  public:
    Picnn() = default;
    /// Adds the parameters of the Icnn to the layout, and those of the gates and shifts if there is a
    /// context.
    /// @param context  length of c; 0 makes this an Icnn
    Picnn(ParameterLayout& layout, const std::string& name, const IcnnShape& shape, std::size_t context);

    /// Initialises the weights of the Icnn. Gates start near 1 and shifts near 0, with a small dependence on
    /// c.
    /// @param identity  selects Icnn::initialise_identity(), otherwise Icnn::initialise_uniform()
    void initialise(std::span<float> values, std::uint64_t seed, bool identity) const;

    /// Potential of one context.
    template <class Real>
    struct Bound {
        linalg::AlignedVector<Real> values;     ///< weights of the Icnn for this context
        linalg::AlignedVector<Real> gradients;  ///< gradients with respect to these weights
        std::vector<std::vector<Real>> u;       ///< u_l of each layer
        std::vector<std::vector<Real>> gate_x;  ///< Q_l u_l + q_l of each layer
        std::vector<std::vector<Real>> gate_z;  ///< R_l u_l + r_l, before softplus; [0] is empty
        std::vector<Real> du;
        std::vector<Real> du_below;
        std::vector<Real> dgate;
    };

    /// Computes the weights of the Icnn for a context and sets their gradients to zero.
    /// @throws ShapeMismatch if the context does not have the length of c
    template <class Real>
    void bind(std::span<const Real> values, std::span<const Real> context, Bound<Real>& bound) const;
    /// Adds the parameter gradients that follow from bound.gradients.
    template <class Real>
    void unbind(std::span<const Real> values, Bound<Real>& bound, std::span<Real> gradients) const;

    const Icnn& icnn() const { return icnn_; }
    /// Position of the first parameter in the layout, in elements.
    std::size_t offset() const { return offset_; }
    /// Number of elements in the layout, including padding.
    std::size_t size() const { return size_; }
    /// Returns the part of a buffer that holds A, b and W, in the layout of icnn(). Icnn::clamp() and
    /// Icnn::add_penalty() apply to it.
    template <class Real>
    std::span<Real> icnn_part(std::span<Real> buffer) const {
        return buffer.subspan(offset_, icnn_layout_.size());
    }

  private:
    // Affine map of u: a matrix and an optional bias.
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
    std::vector<Map> gate_z_;  ///< R, r; [0] is empty
    std::vector<Map> shift_;   ///< S
};

}  // namespace popflow::nn
