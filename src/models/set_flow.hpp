// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/gaussian_noise.hpp"
#include "models/model.hpp"
#include "nn/set_transformer.hpp"

namespace popflow::models {

/// Sizes of a SetFlow.
struct SetFlowShape {
    PopulationSource source = PopulationSource::noise;
    std::size_t subset = 0;  ///< number of given cells, for PopulationSource::subset
    std::size_t markers = 0;
    std::size_t conditions = 0;  ///< length of the condition vector
    std::size_t width = 128;
    std::size_t blocks = 4;
    std::size_t heads = 4;
    nn::CloudInputs condition = nn::CloudInputs::added;  ///< how time and condition enter the network
    std::size_t frequencies = 0;                         ///< number of random Fourier frequencies of a cell
    std::size_t part = 1024;  ///< number of cells above which transport() splits a population
    linalg::Precision precision = linalg::Precision::fp32;  ///< precision of matrix products in training
};

/// Clouds at one time each. Cloud c has the rows [bounds[c], bounds[c + 1]) of x.
template <class Real>
struct CloudStates {
    std::span<const std::size_t> bounds;      ///< [clouds + 1]
    std::span<const Real> t;                  ///< [clouds] flow time
    linalg::ConstMatrixView<Real> x;          ///< [n, d]
    linalg::ConstMatrixView<Real> condition;  ///< [clouds, conditions]
};

/// Clouds of cells with their partners, as CloudBatch. All views are non-owning.
template <class Real>
struct CoupledClouds {
    std::span<const std::size_t> bounds;
    std::span<const Real> t;
    linalg::ConstMatrixView<Real> x0;
    linalg::ConstMatrixView<Real> x1;
    linalg::ConstMatrixView<Real> condition;
};

/// Wasserstein flow matching between clouds of cells.
///
/// A transformer predicts the velocities of all cells of a cloud together, v(X_t, t, c), where X_t is the
/// whole moving cloud and c the condition vector. It is equivariant under permutations of the cells.
/// Loss: mean over the clouds of the mean over the cells of |v_i(X_t, t, c) - (x1_i - x0_i)|^2 with
/// X_t = (1 - t) X_0 + t X_1 and one time per cloud. Partners i come from transport between the cells.
///
/// A prediction integrates dX/dt = v(X, t, c) with one step size for the whole cloud. The flow starts
/// - at noise (PopulationSource::noise): cells of a random Gaussian, see GaussianNoise,
/// - at control cells (control),
/// - at a smoothed bootstrap of given cells (subset), see smoothed_bootstrap().
///
/// Source: Haviv, Pooladian, Pe'er and Amos, "Wasserstein flow matching", ICML 2025 (arXiv 2411.00698),
/// algorithms 1 and 2. Network: nn::SetTransformer. Deviations of the defaults from the source:
/// * Exact transport couples the cells. The source uses 200 Sinkhorn iterations and rounds the plan.
/// * The noise lies around the data, see GaussianNoise. The points are not multiplied by 2.
/// * Frequencies of time are k pi, k = 1 ... 16. The solver is adaptive.
class SetFlow : public Model, public GradientTraining, public CellTransport, public PopulationSampler {
  public:
    /// @param constants  those of set_flow_constants()
    /// @throws core::ShapeMismatch for constants of another shape
    SetFlow(const SetFlowShape& shape, const Constants& constants);

    const SetFlowShape& shape() const { return shape_; }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    /// Predicts treated cells if the flow starts at controls.
    const CellTransport* cell_transport() const override {
        return shape_.source == PopulationSource::control ? this : nullptr;
    }
    /// Draws new populations if the flow starts at noise, and completes populations if it starts at subsets.
    const PopulationSampler* population_sampler() const override {
        return shape_.source == PopulationSource::control ? nullptr : this;
    }

    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    void start_at_identity(std::span<float> values) const override { network_.zero_output(values); }
    std::unique_ptr<Scratch> make_scratch() const override;
    void begin_step(std::span<const float> values,
                    std::span<const std::unique_ptr<Scratch>> scratch) const override;
    nn::UpdatePhase phase(std::uint64_t step) const override;
    /// @param input  a CloudInput, or a PairInput whose cells are one cloud with the time of its first cell
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;

    /// Weights in the packed layout of the kernels. T is float, bfloat16 or double.
    template <class T>
    struct Weights {
        std::span<const linalg::accumulator_t<T>> values;
        nn::SetTransformer::Packed<T> packed;
    };
    /// Packs weights. The result refers to `values`, which must outlive it.
    template <class T>
    void pack(std::span<const linalg::accumulator_t<T>> values, Weights<T>& weights) const;

    /// Activations and buffers of one thread.
    template <class T>
    struct Workspace {
        using Real = linalg::accumulator_t<T>;
        linalg::Matrix<Real> frequencies;
        linalg::Matrix<Real> points;    ///< [n, inputs of a point]
        linalg::Matrix<Real> shared;    ///< [clouds, inputs of a cloud]
        linalg::Matrix<Real> x;         ///< [n, d] X_t
        linalg::Matrix<Real> velocity;  ///< [n, d]
        nn::SetTransformer::Cache<T> cache;
    };

    /// Adds the gradient of the loss of some clouds to `gradients`, and returns the loss.
    ///
    /// Shape: gradients [layout().size()].
    /// @throws core::ShapeMismatch
    template <class T>
    double loss_and_gradient(const Weights<T>& weights, const CoupledClouds<linalg::accumulator_t<T>>& clouds,
                             Workspace<T>& workspace, std::span<linalg::accumulator_t<T>> gradients,
                             const nn::GradientSink* gradient_sink = nullptr) const;

    /// Overwrites `velocity` [n, d].
    /// @param keep  whether a backward pass follows
    /// @throws core::ShapeMismatch
    template <class T>
    void velocity(const Weights<T>& weights, const CloudStates<linalg::accumulator_t<T>>& states, bool keep,
                  Workspace<T>& workspace, linalg::MatrixView<linalg::accumulator_t<T>> velocity) const;

    /// Moves a population. One of more than `part` cells is split into equal parts: part p of k has the rows
    /// p, p + k, p + 2 k, ...
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;
    ode::Statistics trajectory(std::span<const float> values, std::span<const float> context,
                               std::span<const float> condition, const ode::Options& options,
                               linalg::MatrixView<float> x,
                               const ode::Snapshots<float>& snapshots) const override;

    std::size_t given_cells() const override { return shape_.subset; }
    std::vector<GeneratedPopulation> generate(std::span<const float> values, const GenerateRequest& request,
                                              std::span<core::Stream> streams) const override;

  private:
    struct Guided;
    template <class T>
    double train(const Request& request, const CoupledClouds<float>& clouds, Scratch& scratch,
                 std::span<float> gradients) const;
    ode::Statistics flow(const Guided& guided, const ode::Options& options, const ode::FixedSteps& fixed,
                         linalg::MatrixView<float> x, const ode::Snapshots<float>& snapshots) const;

    SetFlowShape shape_;
    linalg::Matrix<float> frequencies_;  // [d, frequencies]
    GaussianNoise noise_;                // empty unless the flow starts at noise
    nn::ParameterLayout layout_;
    nn::SetTransformer network_;
};

/// Draws a cloud from given cells: rows drawn with replacement, and smoothed with
/// x = m + sqrt(1 - h^2) (x_i - m) + h S^1/2 z, z normal. It has the mean m and the covariance S of the given
/// cells. The bandwidth is h = N^(-1 / (d + 4)), Scott's rule for N cells in d markers.
///
/// Shape: cloud [n, d], overwritten. given [N, d].
/// Random: n row indices and n d normal numbers.
/// Source: Scott, "Multivariate Density Estimation", 1992. Smoothing that keeps the covariance: Silverman and
/// Young, "The bootstrap: to smooth or not to smooth?", Biometrika 74, 1987.
/// @throws core::ShapeMismatch without two given cells
void smoothed_bootstrap(linalg::ConstMatrixView<float> given, core::Stream& stream,
                        linalg::MatrixView<float> cloud);

/// Draws a cloud of cells from a Gaussian with the root of its covariance.
///
/// Shape: cloud [n, d], overwritten. Random: n d normal numbers.
void draw_cloud(const ot::GaussianMoments& gaussian, core::Stream& stream, linalg::MatrixView<float> cloud);

/// Wasserstein flow matching between clouds of cells.
const Family* set_flow_family();

}  // namespace popflow::models
