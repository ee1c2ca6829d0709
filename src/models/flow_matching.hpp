// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linalg/precision.hpp"
#include "models/model.hpp"
#include "models/population_encoder.hpp"
#include "nn/modulation.hpp"
#include "nn/skip_mlp.hpp"
#include "ode/dormand_prince.hpp"

namespace popflow::models {

/// What the velocity knows of the population, besides the treatment.
enum class Context {
    none,        ///< FM
    pair_index,  ///< CGFM: one-hot of the training pair; the mean of the one-hots for a population not
                 ///< trained on
    population,  ///< MFM: embedding of the control population
};

/// Which parameters a step of MFM updates.
enum class Updates {
    joint,      ///< velocity and encoder
    alternate,  ///< as published: velocity and encoder by turns, see FlowMatching::turn
};

/// How the context acts on the velocity network, beside being an input of its first layer.
enum class Modulated {
    none,
    film,  ///< it scales the outputs of the hidden layers, see nn::Modulation
};

/// The loss that is reported; the gradient is the same.
enum class Loss {
    full,     ///< || v - (x1 - x0) ||^2
    reduced,  ///< as published: || v ||^2 - 2 <v, x1 - x0>, without the constant || x1 - x0 ||^2
};

/// Sizes and constants of a FlowMatching model; the defaults are the organoid configuration.
struct FlowMatchingShape {
    Context context = Context::population;
    std::size_t markers = 0;
    std::size_t cell_types = 0;      ///< one-hot inputs of the encoder; 0 if all cells are of one type
    std::size_t conditions = 0;      ///< length of the treatment vector
    std::size_t training_pairs = 0;  ///< length of the one-hot of CGFM
    std::size_t hidden = 512;
    std::size_t layers = 7;
    std::size_t time_frequencies = 64;
    double time_highest = 1;         ///< highest frequency of flow time, radians for the whole flow
    double time_max_period = 10000;  ///< highest over lowest
    std::size_t space_frequencies = 128;
    double space_scale = 0.01;
    EncoderShape encoder{};  ///< `inputs` is set from markers and cell_types
    /// Of the velocity network's matrix products in training; prediction and the encoder are fp32.
    linalg::Precision precision = linalg::Precision::fp32;
    Updates updates = Updates::joint;
    Loss loss = Loss::full;
    Modulated modulation = Modulated::none;

    std::size_t row_inputs() const { return 2 * time_frequencies + 2 * space_frequencies + markers; }
    std::size_t context_size() const;
};

/// B of the velocity's and then of the encoder's space features: random, but part of the model.
/// Shapes: result [markers, space_frequencies + encoder.frequencies].
linalg::Matrix<float> draw_frequencies(const FlowMatchingShape& shape, std::uint64_t seed);

/// Flow matching between populations: FM, CGFM and MFM are this class with another context.
///
/// v(x, t | h, c) = SkipMlp([h | sin, cos of t | cos, sin of 2 pi x B | x | c]); h is the embedding of the
/// control cells [x | cos, sin of 2 pi x B' | one-hot of the cell type]; the loss of a pair is the
/// mean over cells of || (x1 - x0) - v((1 - t) x0 + t x1, t | h, c) ||^2.
///
/// Source: Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), algorithm 1 and appendix.
/// Deviations, by default: encoder and velocity learn together, in each step, without cached embeddings; the
/// encoder has its ReLU (see PopulationEncoder).
class FlowMatching : public Model {
  public:
    /// @param frequencies  as draw_frequencies() makes them
    FlowMatching(const FlowMatchingShape& shape, linalg::Matrix<float> frequencies);

    const FlowMatchingShape& shape() const { return shape_; }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const linalg::Matrix<float>& frequencies() const { return frequencies_; }
    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;

    /// Values of all parameters, and those of the velocity network as the kernels read them.
    template <class Real>
    struct Weights {
        std::span<const Real> values;
        nn::SkipMlp::Packed<Real> mlp;
        nn::SkipMlp::Packed<linalg::bfloat16> mlp_bf16;
    };
    /// Packs weights for products of a precision, by all threads; done once for all that is computed with
    /// them. `values` must outlive what is made of them.
    template <class Real>
    void pack(std::span<const Real> values, linalg::Precision precision, Weights<Real>& weights) const;

    /// Activations and scratch of one thread; grows to the largest slot and is then reused.
    template <class Real>
    struct Workspace {
        linalg::Matrix<Real> frequencies;
        std::vector<Real> time_frequencies;
        linalg::Matrix<Real> encoder_input;
        linalg::Matrix<Real> features;
        linalg::Matrix<Real> velocity;
        std::vector<Real> context;
        std::vector<Real> dcontext;
        nn::SkipMlp::Cache<Real> mlp;
        nn::SkipMlp::Cache<linalg::bfloat16> mlp_bf16;
        typename PopulationEncoder::Cache<Real> encoder;
        Weights<Real> weights;    ///< of the overloads that are given values alone
        Weights<Real> modulated;  ///< of the network modulated for the slot
        nn::Modulation::Cache<Real> modulation;
        const nn::GradientSink* gradient_final = nullptr;  ///< of Model::Scratch; null if nobody listens
    };

    /// Loss of a slot in the shape's precision; its gradient accumulates.
    /// @throws ShapeMismatch, NumericalError
    template <class Real>
    Real loss_and_gradient(const Weights<Real>& weights, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const;
    /// The same from weights that are not packed yet.
    template <class Real>
    Real loss_and_gradient(std::span<const Real> values, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const;

    /// Context of a population that was not trained on: its embedding (MFM), the mean one-hot (CGFM), nothing
    /// (FM). Shapes: control [n, d], control_type [n] or empty; result [context_size].
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type, Workspace<float>& workspace) const;

    /// CGFM: the one-hot of the pair.
    void condition_on_training_pair(std::size_t pair, std::span<float> context) const override;

    std::unique_ptr<Scratch> make_scratch() const override;
    void begin_step(std::span<const float> values,
                    std::span<const std::unique_ptr<Scratch>> scratch) const override;
    /// With Updates::alternate steps 0, 2, ... update the velocity (part 0) and steps 1, 3, ... the encoder
    /// (part 1). An encoder's step embeds the slot's cells and remembers h of the pair; a velocity's step
    /// takes the h remembered from the last visit of the pair, however old the weights that made it, and
    /// embeds (and remembers) a pair only when it meets it first. A pair is one of control and treated
    /// population, so a control with several treatments has an embedding for each.
    nn::UpdatePhase phase(std::uint64_t step) const override;
    std::size_t memory_size() const override;
    double slot_gradient(std::span<const float> values, const TrainingSlot<float>& slot,
                         const nn::UpdatePhase& phase, Scratch& scratch,
                         std::span<float> gradients) const override;
    std::size_t context_size() const override { return shape_.context_size(); }
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type) const override;

    /// v(x, t | h, c), each cell at its own time. Shapes: x, v [n, d], t [n]; v is overwritten.
    template <class Real>
    void velocity(const Weights<Real>& weights, linalg::Precision precision, std::span<const Real> context,
                  std::span<const Real> condition, std::span<const Real> t, linalg::ConstMatrixView<Real> x,
                  Workspace<Real>& workspace, linalg::MatrixView<Real> v) const;
    /// The same in the precision of Real from weights that are not packed yet.
    template <class Real>
    void velocity(std::span<const Real> values, std::span<const Real> context,
                  std::span<const Real> condition, std::span<const Real> t, linalg::ConstMatrixView<Real> x,
                  Workspace<Real>& workspace, linalg::MatrixView<Real> v) const;

    /// Cells carried from t = 0 to t = 1 along the velocity, in blocks of rows spread over the threads.
    /// Shapes: x [n, d], in place. @throws NumericalError if the solver cannot keep its tolerance
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;
    /// Snapshots come from the solver's own interpolant.
    ode::Statistics trajectory(std::span<const float> values, std::span<const float> context,
                               std::span<const float> condition, const ode::Options& options,
                               linalg::MatrixView<float> x,
                               const ode::Snapshots<float>& snapshots) const override;

  private:
    template <class Real>
    void forward(const Weights<Real>& weights, linalg::Precision precision, std::span<const Real> context,
                 std::span<const Real> condition, bool keep, Workspace<Real>& workspace,
                 linalg::MatrixView<Real> v) const;
    template <class Real>
    void backward(const Weights<Real>& weights, std::span<const Real> context,
                  std::span<const Real> condition, linalg::ConstMatrixView<Real> dv,
                  Workspace<Real>& workspace, std::span<Real> gradients) const;
    bool modulated() const { return shape_.modulation == Modulated::film && context_size() > 0; }
    // pack() for what is computed for one context.
    template <class Real>
    void pack_for(std::span<const Real> context, std::span<const Real> values, linalg::Precision precision,
                  nn::Modulation::Cache<Real>& cache, Weights<Real>& weights) const;
    template <class Real>
    void set_frequencies(Workspace<Real>& workspace) const;
    template <class Real>
    void fill_features(std::span<const Real> t, linalg::ConstMatrixView<Real> x,
                       Workspace<Real>& workspace) const;
    template <class Real>
    void encode(std::span<const Real> values, linalg::ConstMatrixView<Real> control,
                std::span<const std::uint8_t> control_type, Workspace<Real>& workspace) const;

    FlowMatchingShape shape_;
    linalg::Matrix<float> frequencies_;
    nn::ParameterLayout layout_;
    std::size_t encoder_size_ = 0;  ///< elements of the layout, the first ones, that are the encoder's
    PopulationEncoder encoder_;
    nn::SkipMlp mlp_;
    nn::Modulation modulation_;
};

}  // namespace popflow::models
