// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/gaussian_noise.hpp"
#include "models/model.hpp"
#include "nn/skip_mlp.hpp"

namespace popflow::models {

/// Sizes of a GaussianFlow.
struct GaussianFlowShape {
    PopulationSource source = PopulationSource::noise;
    std::size_t markers = 0;
    std::size_t conditions = 0;  ///< length of the condition vector
    std::size_t hidden = 256;
    std::size_t layers = 5;  ///< number of hidden layers of each network

    /// Number of elements of the lower triangle of a covariance.
    std::size_t triangle() const { return markers * (markers + 1) / 2; }
};

/// Mean and covariance of some Gaussians as the networks see them, and the time. One row for each Gaussian.
template <class Real>
struct GaussianStates {
    std::span<const Real> t;                   ///< [n]
    linalg::ConstMatrixView<Real> mean;        ///< [n, d]
    linalg::ConstMatrixView<Real> covariance;  ///< [n, d d]
    linalg::ConstMatrixView<Real> condition;   ///< [n, conditions]
};

/// Wasserstein flow matching between Gaussians (Bures-Wasserstein flow matching).
///
/// Two networks predict the velocity of a Gaussian N(m, S) at time t under a condition c:
///   v(m, S, t, c) = dm/dt, and the symmetric matrix V(m, S, t, c) with dS/dt = V S + S V.
/// Loss: mean over the Gaussians of (|v - dm/dt|^2 + tr(S E E)) / d with E = V - V_t, where dm/dt and V_t are
/// the velocity of a geodesic from a source to a target Gaussian, see ot::geodesic_point(). It is the squared
/// norm of the tangent space.
///
/// A prediction integrates dm/dt = v and dF/dt = V F with S = F F^T. The covariance is positive semidefinite
/// for every step size and every V. Cells move by x = m + F F_0^-1 (x_0 - m_0).
///
/// Source: Haviv, Pooladian, Pe'er and Amos, "Wasserstein flow matching", ICML 2025 (arXiv 2411.00698),
/// algorithms 1 and 2. Deviations of the defaults from the source:
/// * The covariance moves in the direction of V. The program of the authors at commit 9a90030 subtracts it.
/// * The noise lies around the data, see GaussianNoise. Inputs are standardised.
/// * The networks are nn::SkipMlp. The solver is adaptive, with one step size for each Gaussian.
class GaussianFlow : public Model, public GradientTraining, public CellTransport, public PopulationSampler {
  public:
    /// @param constants  those of gaussian_flow_constants()
    /// @throws core::ShapeMismatch for constants of another shape
    GaussianFlow(const GaussianFlowShape& shape, const Constants& constants);

    const GaussianFlowShape& shape() const { return shape_; }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    /// Predicts treated cells if the flow starts at controls.
    const CellTransport* cell_transport() const override {
        return shape_.source == PopulationSource::control ? this : nullptr;
    }
    /// Draws new populations if the flow starts at noise.
    const PopulationSampler* population_sampler() const override {
        return shape_.source == PopulationSource::noise ? this : nullptr;
    }
    /// Law of the noise. Its ridge is also added to the variances of controls.
    const GaussianNoise& noise() const { return noise_; }

    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    std::unique_ptr<Scratch> make_scratch() const override;
    void begin_step(std::span<const float> values,
                    std::span<const std::unique_ptr<Scratch>> scratch) const override;
    nn::UpdatePhase phase(std::uint64_t step) const override;
    /// @param input  a GaussianInput
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;

    /// Weights in the packed layout of the kernels.
    template <class Real>
    struct Weights {
        std::span<const Real> values;
        nn::SkipMlp::Packed<Real> mean;
        nn::SkipMlp::Packed<Real> covariance;
    };
    /// Packs weights. The result refers to `values`, which must outlive it.
    template <class Real>
    void pack(std::span<const Real> values, Weights<Real>& weights) const;

    /// Activations and buffers of one thread.
    template <class Real>
    struct Workspace {
        linalg::Matrix<Real> features;
        linalg::Matrix<Real> v;
        linalg::Matrix<Real> triangle;
        nn::SkipMlp::Cache<Real> mean;
        nn::SkipMlp::Cache<Real> covariance;
    };

    /// Adds the gradient of the loss of some Gaussians to `gradients`, and returns the loss.
    ///
    /// Shape: gradients [layout().size()].
    /// @throws core::ShapeMismatch
    template <class Real>
    Real loss_and_gradient(const Weights<Real>& weights, const GaussianBatch<Real>& batch,
                           Workspace<Real>& workspace, std::span<Real> gradients) const;

    /// Overwrites workspace.v [n, d] with v, and workspace.triangle [n, d (d + 1) / 2] with the lower
    /// triangles of V.
    /// @param keep  whether loss_and_gradient() follows
    /// @throws core::ShapeMismatch
    template <class Real>
    void velocity(const Weights<Real>& weights, const GaussianStates<Real>& states, bool keep,
                  Workspace<Real>& workspace) const;

    /// The context is the mean and the lower triangle of the covariance of the control population.
    std::size_t context_size() const override { return shape_.markers + shape_.triangle(); }
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type) const override;
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;
    ode::Statistics trajectory(std::span<const float> values, std::span<const float> context,
                               std::span<const float> condition, const ode::Options& options,
                               linalg::MatrixView<float> x,
                               const ode::Snapshots<float>& snapshots) const override;
    bool generates_gaussians() const override { return true; }
    std::vector<GeneratedPopulation> generate(std::span<const float> values, const GenerateRequest& request,
                                              std::span<core::Stream> streams) const override;

  private:
    struct Guided;
    ode::Statistics flow(const Guided& guided, const ode::Options& options, const ode::FixedSteps& fixed,
                         linalg::MatrixView<float> states, const ode::Snapshots<float>& snapshots) const;

    GaussianFlowShape shape_;
    GaussianNoise noise_;
    linalg::Matrix<float> feature_mean_;   // [1, d + triangle]
    linalg::Matrix<float> feature_scale_;  // the same
    double velocity_scale_ = 1;
    nn::ParameterLayout layout_;
    nn::SkipMlp mean_network_;
    nn::SkipMlp covariance_network_;
};

/// Returns the constants of a GaussianFlow for its training populations: the law of the noise, and the scales
/// of the inputs and of v.
/// @param sources  control populations, empty for noise
/// @param spread  see fit_gaussian_noise()
/// @param seed  seed of noise from which the scales are computed
/// @throws as fit_gaussian_noise()
Constants gaussian_flow_constants(std::span<const ot::GaussianMoments> targets,
                                  std::span<const ot::GaussianMoments> sources, double spread,
                                  std::uint64_t seed);

/// Wasserstein flow matching between Gaussians.
const Family* gaussian_flow_family();

}  // namespace popflow::models
