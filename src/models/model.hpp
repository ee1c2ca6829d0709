// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "nn/adam.hpp"
#include "nn/gradient_sink.hpp"
#include "nn/parameters.hpp"
#include "ode/dormand_prince.hpp"

namespace popflow::models {

/// Largest number of layers that an option or a checkpoint may specify.
inline constexpr std::size_t max_layers = 1000;
/// Largest size of a layer, an embedding or a set of frequencies that an option or a checkpoint may specify.
inline constexpr std::size_t max_width = 65536;

/// Inputs of one slot of a training batch: cells drawn from one training pair and their condition.
///
/// A batch has TrainOptions::batch_pairs slots. All views are non-owning.
template <class Real>
struct TrainingSlot {
    linalg::ConstMatrixView<Real> x0;       ///< [n, d] base: control cells or noise
    linalg::ConstMatrixView<Real> x1;       ///< [n, d] treated cells, row i is the partner of row i of x0
    std::span<const Real> t;                ///< [n] flow time in [0, 1]
    linalg::ConstMatrixView<Real> control;  ///< [m, d] control cells that the encoder sees
    std::span<const std::uint8_t> control_type;  ///< [m] cell types, may be empty if cell_types is 0
    std::span<const Real> condition;             ///< [conditions] treatment vector
    std::size_t pair = 0;                        ///< index among the training pairs (CGFM)
    /// [context_size] embedding of the population, a constant in the gradient. If empty, it is computed.
    std::span<const Real> embedding{};
    /// [Model::memory_size()] state that the model keeps for the pair from step to step.
    std::span<float> memory{};
};

/// Interface of a method that learns how populations move, as training and evaluation use it.
///
/// A model is immutable. Its weights are a flat buffer with the layout of layout(), which the caller owns.
class Model {
  public:
    virtual ~Model() = default;

    virtual const nn::ParameterLayout& layout() const = 0;
    /// Returns the initial weights [layout().size()], a pure function of the seed.
    virtual linalg::AlignedVector<float> initial_values(std::uint64_t seed) const = 0;

    /// Activations and buffers of one thread. They grow to the largest slot and are then reused.
    class Scratch {
      public:
        virtual ~Scratch() = default;
        /// If set, called during the backward pass with the lowest offset whose gradient is final.
        nn::GradientSink gradient_sink;
    };
    virtual std::unique_ptr<Scratch> make_scratch() const = 0;

    /// Computes once per step what depends on the weights alone.
    ///
    /// Called before the slots of a step, with the weights of that step and the scratch of all threads.
    virtual void begin_step(std::span<const float> /*values*/,
                            std::span<const std::unique_ptr<Scratch>> /*scratch*/) const {}

    /// Returns the parameters that training step 0, 1, ... updates: all of them, or one part of a model with
    /// alternating updates.
    virtual nn::UpdatePhase phase(std::uint64_t step) const { return {0, 0, layout().size(), step}; }

    /// Number of values that the model keeps for each training pair from step to step. All are zero before
    /// the first step that draws the pair.
    virtual std::size_t memory_size() const { return 0; }

    /// Unit of the fixed-point sums of gradients over slots, a power of two, see mpi::ExactSum.
    ///
    /// The sums round gradient elements to multiples of 2^-36 units, and hold up to 2^14 units.
    virtual float gradient_unit() const { return 1; }

    /// Adds the gradient of the loss of a slot to `gradients`.
    ///
    /// Reads and writes slot.memory [memory_size()].
    /// Shapes: values, gradients [layout().size()].
    /// @param phase  parameters that the step updates. The gradients of the others are unspecified.
    /// @param scratch  made by this model and passed to begin_step() with these values
    /// @return loss of the slot in this phase
    /// @throws ShapeMismatch, NumericalError
    virtual double slot_gradient(std::span<const float> values, const TrainingSlot<float>& slot,
                                 const nn::UpdatePhase& phase, Scratch& scratch,
                                 std::span<float> gradients) const = 0;

    /// Projects the weights onto the feasible set after an update. Does nothing for unconstrained weights.
    virtual void project(const nn::UpdatePhase& /*phase*/, std::span<float> /*values*/) const {}

    /// Length of the vector that describes a population to the model, 0 if it has none.
    virtual std::size_t context_size() const = 0;
    /// Returns the context of a population that was not trained on, for prediction.
    ///
    /// Shapes: control [n, d], control_type [n] or empty, result [context_size()].
    virtual std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                                       std::span<const std::uint8_t> control_type) const = 0;
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

}  // namespace popflow::models
