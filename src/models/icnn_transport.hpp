// SPDX-License-Identifier: MIT
#pragma once

#include "models/family.hpp"
#include "nn/picnn.hpp"

namespace popflow::models {

/// Initialisation of the potentials of an IcnnTransport.
enum class IcnnStart {
    identity,  ///< grad g(x) = x, see nn::Icnn::initialise_identity
    uniform,   ///< as published: all weights uniform in [0, 0.1)
};

/// Sizes and constants of an IcnnTransport. The defaults are the published ones.
struct IcnnTransportShape {
    std::size_t markers = 0;
    std::size_t conditions = 0;  ///< length of the treatment vector, 0 to ignore the treatment
    std::size_t hidden = 64;
    std::size_t layers = 4;
    std::size_t inner_steps = 10;  ///< number of updates of g for each update of f
    IcnnStart start = IcnnStart::identity;
};

/// Neural optimal transport (CellOT): the map of a population is the gradient of a convex potential g.
///
/// Training alternates between two potentials: `inner_steps` updates of g, then one of f. Each step updates
/// one potential, draws its own pairs and cells, and reports the loss of the potential that it updates:
///   g:  mean_i [ f(grad g(x_i)) - <x_i, grad g(x_i)> ] + sum_l || max(-W_l, 0) ||_F over the W of g
///   f:  mean_i f(y_i) - mean_i f(grad g(x_i)), then the W of f are clamped to >= 0
/// x are control cells and y treated cells. f and g are Icnns, or Picnns of the treatment vector.
///
/// Source: Makkuva et al., "Optimal transport mapping via input convex neural networks", ICML 2020. Bunne et
/// al., Nature Methods 2023 (CellOT), with one pair of populations and no treatment.
/// Deviations from the source:
/// * One model learns from all pairs of a screen.
/// * The default is IcnnStart::identity, since the published start is far from any map. On 36 markers the
///   published start has a loss of 9000, which takes a thousand steps to come near zero.
/// * An update of f draws its own target cells. CellOT draws them before the updates of g.
class IcnnTransport : public Model, public GradientTraining, public CellTransport {
  public:
    explicit IcnnTransport(const IcnnTransportShape& shape);

    const IcnnTransportShape& shape() const { return shape_; }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    const CellTransport* cell_transport() const override { return this; }
    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    std::unique_ptr<Scratch> make_scratch() const override;
    /// Returns g (part 0) or f (part 1).
    nn::UpdatePhase phase(std::uint64_t step) const override;
    /// Returns 2^10. Potentials grow with the square of a cell: on 36 markers the published start has
    /// gradients above 1e4.
    float gradient_unit() const override { return 0x1.0p10F; }
    /// @param input  a PairInput
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;
    /// Clamps the W of f to >= 0 after an update of f.
    void project(const nn::UpdatePhase& phase, std::span<float> values) const override;
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;

    /// Potentials and buffers of one slot.
    template <class Real>
    struct Workspace {
        typename nn::Picnn::Bound<Real> g_bound;
        typename nn::Picnn::Bound<Real> f_bound;
        typename nn::Icnn::Cache<Real> g;
        typename nn::Icnn::Cache<Real> f;
        linalg::Matrix<Real> moved;  ///< grad g(x)
        linalg::Matrix<Real> pull;   ///< d loss / d moved
        linalg::Matrix<Real> value;
    };

    /// Adds the gradient of the loss of g with respect to g to `gradients`. @return the loss of g
    template <class Real>
    Real g_loss(std::span<const Real> values, const TrainingSlot<Real>& slot, Workspace<Real>& workspace,
                std::span<Real> gradients) const;
    /// Adds the gradient of the loss of f with respect to f to `gradients`. @return the loss of f
    template <class Real>
    Real f_loss(std::span<const Real> values, const TrainingSlot<Real>& slot, Workspace<Real>& workspace,
                std::span<Real> gradients) const;

  private:
    // Returns the treatment vector, or an empty span for potentials that ignore the treatment.
    template <class Real>
    std::span<const Real> seen(std::span<const Real> condition) const {
        return shape_.conditions > 0 ? condition : std::span<const Real>();
    }
    // Computes workspace.moved = grad g(x).
    template <class Real>
    void move(std::span<const Real> values, const TrainingSlot<Real>& slot, Workspace<Real>& workspace) const;

    IcnnTransportShape shape_;
    nn::ParameterLayout layout_;
    nn::Picnn g_;
    nn::Picnn f_;
};

/// Neural optimal transport with input convex neural networks.
const Family* icnn_family();

}  // namespace popflow::models
