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

/// The largest network that options may ask for and a checkpoint may claim to be of.
inline constexpr std::size_t max_layers = 1000;
inline constexpr std::size_t max_width = 65536;  ///< of a layer, an embedding or a set of frequencies

/// The cells and conditions of one slot of a training batch.
template <class Real>
struct TrainingSlot {
    linalg::ConstMatrixView<Real> x0;            ///< [n, d] base: control cells, or noise
    linalg::ConstMatrixView<Real> x1;            ///< [n, d] treated cells, row by row the partners of x0
    std::span<const Real> t;                     ///< [n] flow time in [0, 1]
    linalg::ConstMatrixView<Real> control;       ///< [m, d] control cells that the encoder sees
    std::span<const std::uint8_t> control_type;  ///< [m]; may be empty if cell_types is 0
    std::span<const Real> condition;             ///< [conditions]
    std::size_t pair = 0;                        ///< index among the training pairs (CGFM)
    std::span<const Real> embedding{};  ///< of the population if it is given and constant; else computed
    std::span<float> memory{};          ///< what the model keeps of the pair from step to step
};

/// A method that learns how populations move: what training and evaluation need to know of it.
///
/// A model is constant: its weights are a flat buffer of its layout that the caller owns.
class Model {
  public:
    virtual ~Model() = default;

    virtual const nn::ParameterLayout& layout() const = 0;
    virtual linalg::AlignedVector<float> initial_values(std::uint64_t seed) const = 0;

    /// Activations and buffers of one thread; grows to the largest slot and is then reused.
    class Scratch {
      public:
        virtual ~Scratch() = default;
        /// If set, slot_gradient() tells where the gradient is final before it is whole.
        nn::GradientSink gradient_final;
    };
    virtual std::unique_ptr<Scratch> make_scratch() const = 0;

    /// Called before the slots of a step with the weights of that step and the scratch of every thread:
    /// what depends on the weights alone is computed once, here.
    virtual void begin_step(std::span<const float> /*values*/,
                            std::span<const std::unique_ptr<Scratch>> /*scratch*/) const {}

    /// What step 0, 1, ... of training updates: all parameters, unless networks take turns.
    virtual nn::UpdatePhase phase(std::uint64_t step) const { return {0, 0, layout().size(), step}; }

    /// Numbers that the model keeps of each training pair from step to step; zero before its first.
    virtual std::size_t memory_size() const { return 0; }

    /// What elements of a gradient are measured in, a power of two: sums over slots are exact to 2^-36 of it
    /// and hold up to 2^14 of it.
    virtual float gradient_unit() const { return 1; }

    /// Loss of a slot at a turn; the gradient of the turn's parameters accumulates, that of others is
    /// unspecified. Shapes: values, gradients [layout().size()].
    /// @param scratch  made by this model, and given to begin_step() with these values
    /// slot.memory [memory_size()] is read and written.
    /// @throws ShapeMismatch, NumericalError
    virtual double slot_gradient(std::span<const float> values, const TrainingSlot<float>& slot,
                                 const nn::UpdatePhase& phase, Scratch& scratch,
                                 std::span<float> gradients) const = 0;

    /// Brings weights back to where they may be after the update of a turn.
    virtual void project(const nn::UpdatePhase& /*turn*/, std::span<float> /*values*/) const {}

    virtual std::size_t context_size() const = 0;
    /// What prediction knows of a population that was not trained on. Shapes: control [n, d], control_type
    /// [n] or empty; result [context_size()].
    virtual std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                                       std::span<const std::uint8_t> control_type) const = 0;
    /// Turns a context() into what the model knows of training pair `pair`, as TrainingSlot::pair, if it
    /// tells training pairs apart by more than their cells. Shape: context [context_size()].
    virtual void condition_on_training_pair(std::size_t /*pair*/, std::span<float> /*context*/) const {}

    /// Predicted treated cells: each row of x is carried to where its treatment takes it, in place, by all
    /// threads. Shapes: x [n, d], context [context_size()].
    /// @return work of the solver; zeros for a model without one
    /// @throws NumericalError
    virtual ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                                      std::span<const float> condition, const ode::Options& options,
                                      linalg::MatrixView<float> x) const = 0;

    /// transport() that also leaves the cells as they are on their way; where they end is the same.
    ///
    /// A model without a flow moves each cell straight and evenly, (1 - t) x + t transport(x): the
    /// displacement interpolation of its map.
    virtual ode::Statistics trajectory(std::span<const float> values, std::span<const float> context,
                                       std::span<const float> condition, const ode::Options& options,
                                       linalg::MatrixView<float> x,
                                       const ode::Snapshots<float>& snapshots) const;
};

}  // namespace popflow::models
