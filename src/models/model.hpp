// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "linalg/matrix.hpp"
#include "models/population_statistics.hpp"
#include "nn/adam.hpp"
#include "nn/convex_potential.hpp"
#include "nn/gradient_sink.hpp"
#include "nn/parameters.hpp"
#include "ode/fixed_steps.hpp"
#include "ot/histogram_problem.hpp"

namespace popflow::models {

/// Largest number of layers that an option or a checkpoint may specify.
inline constexpr std::size_t max_layers = 1000;
/// Largest size of a layer, an embedding or a set of frequencies that an option or a checkpoint may specify.
inline constexpr std::size_t max_width = 65536;

/// Number of a cell type that the model was not trained on. Its one-hot code is zero.
inline constexpr std::uint8_t unknown_cell_type = 255;

/// Start of a flow: control cells or Gaussian noise.
enum class Base { source, gaussian };

/// Cells drawn from one pair of populations, and their condition. All views are non-owning.
template <class Real>
struct TrainingSlot {
    linalg::ConstMatrixView<Real> x0;       ///< [n, d] base: control cells or noise
    linalg::ConstMatrixView<Real> x1;       ///< [n, d] treated cells, row i is the partner of row i of x0
    std::span<const Real> t;                ///< [n] flow time in [0, 1]
    linalg::ConstMatrixView<Real> control;  ///< [m, d] control cells that the encoder sees
    /// [m] cell types or unknown_cell_type, may be empty if cell_types is 0.
    std::span<const std::uint8_t> control_type;
    std::span<const Real> condition;  ///< [conditions] condition vector
    std::size_t pair = 0;             ///< index among the training pairs (CGFM)
    /// [context_size] embedding of the population, a constant in the gradient. If empty, it is computed from
    /// `control`.
    std::span<const Real> embedding{};
};

/// Input of one slot of a training step. Each kind of item has one derived class, and the items of a method
/// decide which of them its model gets.
class SlotInput {
  public:
    virtual ~SlotInput() = default;
    std::size_t n_cells = 0;  ///< number of cells that the slot draws, for progress reports
};

/// Input of a method whose items are pairs of populations.
class PairInput : public SlotInput {
  public:
    TrainingSlot<float> slot;
};

/// All cells of one training pair, for a method that trains in one pass.
struct PairCells {
    linalg::ConstMatrixView<float> control;      ///< [n, d]
    linalg::ConstMatrixView<float> treated;      ///< [m, d]
    std::span<const std::uint8_t> control_type;  ///< [n]
    std::span<const float> condition;            ///< [conditions] condition vector
    std::size_t condition_row = 0;               ///< index of the condition, see DataShape::condition_rows
    /// Number of the unit of the pair. A validation leaves all pairs of a unit out together, see
    /// screen::population_units().
    std::size_t unit = 0;
};

/// Source and target histogram of a transport problem.
struct HistogramPair {
    const ot::Histogram* source = nullptr;
    const ot::Histogram* target = nullptr;
};

/// One transport problem of a training slot.
struct TrainingProblem {
    linalg::ConstMatrixView<double> c;  ///< [n, m] costs between the atoms with mass
    std::span<const double> a;          ///< [n] weights, positive, sum 1
    std::span<const double> b;          ///< [m] weights, positive, sum 1
    std::span<const double> base;       ///< [n] potentials to which the network adds its output
    std::span<const double> solution;   ///< [n] potentials of the solution, empty unless needed
};

/// Input of a method whose items are transport problems: a group of them.
class ProblemInput : public SlotInput {
  public:
    std::vector<HistogramPair> pairs;
    std::vector<TrainingProblem> problems;  ///< as `pairs`, with all or some of their target atoms
};

/// Points of geodesics between Gaussians, with their velocities. One row for each Gaussian.
template <class Real>
struct GaussianBatch {
    linalg::Matrix<Real> mean;           ///< [n, d]
    linalg::Matrix<Real> covariance;     ///< [n, d d] symmetric matrices, row by row
    linalg::Matrix<Real> mean_velocity;  ///< [n, d] dm/dt
    linalg::Matrix<Real> velocity;       ///< [n, d d] symmetric matrices V with dS/dt = V S + S V
    std::vector<Real> t;                 ///< [n] flow time in [0, 1]
    linalg::Matrix<Real> condition;      ///< [n, conditions] condition vectors, zeros for no label
};

/// Input of a method whose items are populations as Gaussians.
class GaussianInput : public SlotInput {
  public:
    GaussianBatch<float> batch;
};

/// Clouds of cells with their partners, and the times of their flows. Cloud c has the rows
/// [bounds[c], bounds[c + 1]).
template <class Real>
struct CloudBatch {
    std::vector<std::size_t> bounds;  ///< [clouds + 1]
    linalg::Matrix<Real> x0;          ///< [n, d] source cells
    linalg::Matrix<Real> x1;          ///< [n, d] target cells, row i is the partner of row i of x0
    std::vector<Real> t;              ///< [clouds] flow time in [0, 1]
    linalg::Matrix<Real> condition;   ///< [clouds, conditions] condition vectors, zeros for no label
};

/// Input of a method whose items are populations as clouds of cells.
class CloudInput : public SlotInput {
  public:
    CloudBatch<float> batch;
};

/// Cells of two populations in the coordinates of ot::BalancedCoordinates.
template <class Real>
struct BalancedClouds {
    linalg::Matrix<Real> source;  ///< [n, d] u
    linalg::Matrix<Real> target;  ///< [m, d] v
    std::vector<Real> triangle;   ///< [d (d + 1) / 2] lower triangle of the covariance of both, row by row
};

/// Input of a method whose items are populations, each transported to another one: transport problems
/// between clouds of cells.
class CloudPairInput : public SlotInput {
  public:
    std::vector<BalancedClouds<float>> problems;
};

/// Capability: the model trains by gradients of slots.
class GradientTraining {
  public:
    virtual ~GradientTraining() = default;

    /// Returns the initial weights [layout().size()], a pure function of the seed.
    virtual linalg::AlignedVector<float> initial_values(std::uint64_t seed) const = 0;

    /// Changes initial weights so that the model predicts the cells that it starts from. Does nothing for a
    /// model whose initial weights do so.
    virtual void start_at_identity(std::span<float> /*values*/) const {}

    /// Activations and buffers of one thread. They grow to the largest slot and are then reused.
    class Scratch {
      public:
        virtual ~Scratch() = default;
    };
    virtual std::unique_ptr<Scratch> make_scratch() const = 0;

    /// Computes once per step what depends on the weights alone.
    ///
    /// Called before the slots of a step, with the weights of that step and the scratch of all threads.
    virtual void begin_step(std::span<const float> /*values*/,
                            std::span<const std::unique_ptr<Scratch>> /*scratch*/) const {}

    /// Returns the parameters that training step 0, 1, ... updates: all of them, or one part of a model with
    /// alternating updates.
    virtual nn::UpdatePhase phase(std::uint64_t step) const = 0;

    /// Number of values that the model keeps for each training item from step to step. All are zero before
    /// the first step that draws the item.
    virtual std::size_t memory_size() const { return 0; }

    /// Unit of the fixed-point sums of gradients over slots, a power of two, see mpi::ExactSum.
    ///
    /// The sums round gradient elements to multiples of 2^-36 units, and hold up to 2^14 units.
    virtual float gradient_unit() const { return 1; }

    /// Arguments of slot_gradient() that are not the input of the slot.
    struct Request {
        std::span<const float> values;  ///< weights [layout().size()]
        nn::UpdatePhase phase{};  ///< parameters that the step updates. Other gradients are unspecified.
        /// [memory_size()] state that the model keeps for the item, read and written.
        std::span<float> memory{};
        /// If not null, called during the backward pass with the lowest offset whose gradient is final.
        const nn::GradientSink* gradient_sink = nullptr;
    };

    /// Adds the gradient of the loss of a slot to `gradients`.
    ///
    /// Shape: gradients [layout().size()].
    /// @param input  of the class that belongs to the items of the method
    /// @param scratch  made by this model and passed to begin_step() with these values
    /// @return loss of the slot in this phase
    /// @throws ShapeMismatch, NumericalError
    virtual double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                                 std::span<float> gradients) const = 0;

    /// Projects the weights onto the feasible set after an update. Does nothing for unconstrained weights.
    virtual void project(const nn::UpdatePhase& /*phase*/, std::span<float> /*values*/) const {}
};

/// Capability: the model trains in one pass over its items, without gradients.
///
/// The ranks summarise their own items. The summaries of all items are then known to all ranks, in the order
/// of the items, so that the weights have the same bits on any number of ranks.
class OnePassTraining {
  public:
    virtual ~OnePassTraining() = default;

    /// Number of values that summarise one item.
    virtual std::size_t summary_size() const = 0;
    /// Overwrites the summary of one item. Thread-safe.
    ///
    /// Shape: summary [summary_size()].
    virtual void summarise(const PairCells& pair, std::span<double> summary) const = 0;
    /// Overwrites the weights with those for all items.
    ///
    /// Shapes: summaries [items, summary_size()], values [layout().size()].
    /// @return loss of the weights: the mean over the items, in the units of the method
    virtual double fit(linalg::ConstMatrixView<double> summaries, std::span<float> values) const = 0;
};

/// Capability: the model predicts the treated cells of a population from its control cells.
class CellTransport {
  public:
    virtual ~CellTransport() = default;

    /// Cells that transport() starts from.
    virtual Base base() const { return Base::source; }

    /// Number of neighbours of a cell in the graph of a population, 0 without a graph. A control population
    /// needs more cells than neighbours.
    virtual std::size_t neighbours() const { return 0; }

    /// Length of the vector that describes a population to the model, 0 if it has none.
    virtual std::size_t context_size() const { return 0; }
    /// Whether the context is a fixed function of statistics of the population, without weights.
    virtual bool has_fixed_context() const { return false; }
    /// Returns the context of a population with these statistics, for a model with a fixed context.
    /// @return  [context_size()]
    virtual std::vector<float> fixed_context(const PopulationStatistics& /*population*/) const { return {}; }
    /// Returns the context of a population that was not trained on, for prediction.
    ///
    /// Shapes: control [n, d], control_type [n] or empty, result [context_size()].
    virtual std::vector<float> context(std::span<const float> /*values*/,
                                       linalg::ConstMatrixView<float> /*control*/,
                                       std::span<const std::uint8_t> /*control_type*/) const {
        return {};
    }
    /// Replaces the context by the one-hot code of a training pair (CGFM). Other models ignore the call.
    ///
    /// Shape: context [context_size()].
    /// @param pair  index among the training pairs, see TrainingSlot::pair
    virtual void condition_on_training_pair(std::size_t /*pair*/, std::span<float> /*context*/) const {}

    /// Replaces each row of x, a control cell, by the predicted treated cell. Uses all threads.
    ///
    /// Shapes: x [n, d], context [context_size()].
    /// @return work of the ODE solver, zeros for a model without one
    /// @throws NumericalError
    virtual ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                                      std::span<const float> condition, const ode::Options& options,
                                      linalg::MatrixView<float> x) const = 0;

    /// Like transport(), with the same end points, and writes the cells at intermediate times to `snapshots`.
    ///
    /// A model without a flow uses the displacement interpolation of its map,
    /// (1 - t) x + t transport(x): each cell moves on a straight line at constant speed.
    /// @throws ShapeMismatch if a snapshot does not have the shape of x, NumericalError
    virtual ode::Statistics trajectory(std::span<const float> values, std::span<const float> context,
                                       std::span<const float> condition, const ode::Options& options,
                                       linalg::MatrixView<float> x,
                                       const ode::Snapshots<float>& snapshots) const;
};

/// Capability: the model predicts dual potentials of transport problems between histograms.
class DualPredictor {
  public:
    virtual ~DualPredictor() = default;

    /// Whether the prediction is added to ot::gaussian_potential() of the source.
    virtual bool adds_gaussian() const = 0;
    /// Whether the training needs solutions of the problems.
    virtual bool needs_solutions() const { return false; }
    /// Predicts the potentials of the source, less their base, for all atoms. Uses one thread.
    ///
    /// Shape: residual [pairs, atoms of the source], overwritten.
    /// Units: cost.
    virtual void predict(std::span<const float> values, std::span<const HistogramPair> pairs,
                         linalg::MatrixView<float> residual) const = 0;
};

/// Parameters of the convex potentials of a transport problem between two populations, see
/// nn::PotentialPair. Both act on the coordinates of ot::BalancedCoordinates.
struct PredictedPotentials {
    std::vector<float> source;  ///< [size] potential of u, whose gradient maps the source to the target
    std::vector<float> target;  ///< [size] potential of v, whose gradient maps back
};

/// Capability: the model predicts the convex potentials of transport between two populations.
class PotentialPredictor {
  public:
    virtual ~PotentialPredictor() = default;

    virtual nn::PotentialShape potential_shape() const = 0;
    /// Weight of the cycle terms in the loss of the training, see nn::PotentialPairOptions.
    virtual double cycle_weight() const = 0;
    /// Predicts potentials from cells of both populations. Thread-safe.
    virtual PredictedPotentials predict(std::span<const float> values,
                                        const BalancedClouds<float>& clouds) const = 0;
};

/// Conditions and sizes of populations to generate.
struct GenerateRequest {
    std::span<const float> condition;  ///< [conditions] condition vector, zeros for no label
    /// Guidance w: velocities are v(no label) + w (v(label) - v(no label)). 1 for the label alone.
    double guidance = 1;
    std::vector<std::size_t> cells;  ///< number of cells of each population
    std::vector<double> times;       ///< flow times whose states are returned, each in [0, 1]
    ode::Options solver{};
    ode::FixedSteps fixed{};  ///< equal steps in place of the adaptive solver
    /// [N, d] given cells of the population, for a model that completes populations. Empty for others.
    linalg::ConstMatrixView<float> given{};
};

/// A generated population at the times of its request.
struct GeneratedPopulation {
    std::vector<linalg::Matrix<float>> cells;  ///< [n, d] for each time. Row i is the same cell at all times
    linalg::Matrix<float> mean;                ///< [times, d], of a method that generates Gaussians
    linalg::Matrix<float> covariance;          ///< [times, d d], of the same
};

/// Capability: the model draws new populations under a condition.
class PopulationSampler {
  public:
    virtual ~PopulationSampler() = default;

    /// Whether GeneratedPopulation has means and covariances.
    virtual bool generates_gaussians() const { return false; }
    /// Number of given cells that the model completes to a population, 0 if it starts at noise.
    virtual std::size_t given_cells() const { return 0; }
    /// Draws populations. Population k depends on the request and on streams[k] alone. Uses all threads.
    /// @return  one population for each stream
    /// @throws core::ShapeMismatch, core::NumericalError
    virtual std::vector<GeneratedPopulation> generate(std::span<const float> values,
                                                      const GenerateRequest& request,
                                                      std::span<core::Stream> streams) const = 0;
};

/// Parameters of a method, and what it can do with them.
///
/// A model is immutable. Its weights are a flat buffer with the layout of layout(), which the caller owns. A
/// capability that a model does not have is null.
class Model {
  public:
    virtual ~Model() = default;

    virtual const nn::ParameterLayout& layout() const = 0;

    virtual const GradientTraining* gradient_training() const { return nullptr; }
    virtual const OnePassTraining* one_pass_training() const { return nullptr; }
    virtual const CellTransport* cell_transport() const { return nullptr; }
    virtual const DualPredictor* dual_predictor() const { return nullptr; }
    virtual const PopulationSampler* population_sampler() const { return nullptr; }
    virtual const PotentialPredictor* potential_predictor() const { return nullptr; }
};

}  // namespace popflow::models
