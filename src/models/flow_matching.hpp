// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "linalg/precision.hpp"
#include "models/fixed_encoder.hpp"
#include "models/model.hpp"
#include "models/population_encoder.hpp"
#include "nn/modulation.hpp"
#include "nn/skip_mlp.hpp"
#include "ode/solver.hpp"

namespace popflow::models {

/// Description of the population that the velocity network receives in addition to the treatment.
enum class Context {
    none,        ///< FM: no description
    pair_index,  ///< CGFM: one-hot of the training pair, or the mean one-hot for any other population
    population,  ///< MFM: description of the control population
};

/// Which parameters a step of MFM updates.
enum class Updates {
    joint,      ///< velocity network and encoder
    alternate,  ///< as published: alternating updates of the two, see FlowMatching::phase
};

/// How the context acts on the velocity network in addition to being an input of its first layer.
enum class Modulated {
    none,
    film,  ///< the context scales the outputs of the hidden layers, see nn::Modulation
};

/// The reported loss. The gradient does not depend on it.
enum class Loss {
    full,     ///< || v - (x1 - x0) ||^2
    reduced,  ///< as published: || v ||^2 - 2 <v, x1 - x0>, without the constant || x1 - x0 ||^2
};

/// Sizes and constants of a FlowMatching model. The defaults are the organoid configuration.
struct FlowMatchingShape {
    Context context = Context::population;
    Base base = Base::source;
    std::size_t markers = 0;
    std::size_t cell_types = 0;      ///< one-hot inputs of the encoder, 0 if all cells have one type
    std::size_t conditions = 0;      ///< length of the treatment vector
    std::size_t training_pairs = 0;  ///< length of the one-hot of CGFM
    std::size_t hidden = 512;
    std::size_t layers = 7;
    std::size_t time_frequencies = 64;
    double time_highest = 1;         ///< highest frequency of flow time, in radians per unit of flow time
    double time_max_period = 10000;  ///< ratio of the highest to the lowest frequency
    std::size_t space_frequencies = 128;
    double space_scale = 0.01;  ///< standard deviation of the space frequencies
    EncoderShape encoder{};     ///< the constructor of FlowMatching sets `inputs`
    /// Encoder of the population instead of the learned one, null for the learned one.
    std::shared_ptr<const FixedEncoder> fixed_encoder{};
    /// Precision of the velocity network's matrix products in training. Prediction and encoder use fp32.
    linalg::Precision precision = linalg::Precision::fp32;
    Updates updates = Updates::joint;
    Loss loss = Loss::full;
    Modulated modulation = Modulated::none;

    /// Number of inputs of the velocity network that differ between the cells of a slot.
    std::size_t row_inputs() const { return 2 * time_frequencies + 2 * space_frequencies + markers; }
    /// Length of the context vector.
    std::size_t context_size() const;
    /// Whether the encoder of the population is trained with the velocity network.
    bool has_learned_encoder() const { return context == Context::population && !fixed_encoder; }
};

/// Draws the random frequencies of the space features: B of the velocity network, then B' of the encoder.
///
/// They are constants of the model and belong to its checkpoint.
/// Shapes: result [markers, space_frequencies + encoder.frequencies].
linalg::Matrix<float> draw_frequencies(const FlowMatchingShape& shape, std::uint64_t seed);

/// Flow matching between populations. FM, CGFM and MFM are this class with different contexts.
///
/// Velocity:   v(x, t | h, c) = SkipMlp([h | sin, cos of t | cos, sin of 2 pi x B | x | c])
/// Embedding:  h = encoder of the control cells [x | cos, sin of 2 pi x B' | one-hot of the cell type], or a
///             fixed function of their statistics (FlowMatchingShape::fixed_encoder), without a gradient
/// Loss:       mean over cells of || (x1 - x0) - v((1 - t) x0 + t x1, t | h, c) ||^2, for each pair
///
/// Source: Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), algorithm 1 and appendix.
/// Deviations of the defaults from the source:
/// * Every step updates encoder and velocity network together, without cached embeddings.
/// * The encoder has its ReLU, see PopulationEncoder.
class FlowMatching : public Model, public GradientTraining, public CellTransport {
  public:
    /// @param frequencies  result of draw_frequencies()
    /// @throws ShapeMismatch if `frequencies` does not have the shape of that result
    FlowMatching(const FlowMatchingShape& shape, linalg::Matrix<float> frequencies);

    const FlowMatchingShape& shape() const { return shape_; }
    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    const CellTransport* cell_transport() const override { return this; }
    Base base() const override { return shape_.base; }
    std::size_t neighbours() const override { return shape_.has_learned_encoder() ? shape_.encoder.knn : 0; }
    bool has_fixed_context() const override { return shape_.fixed_encoder != nullptr; }
    std::vector<float> fixed_context(const PopulationStatistics& population) const override;
    const linalg::Matrix<float>& frequencies() const { return frequencies_; }
    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    /// Sets the last layer of the velocity network to zero.
    void start_at_identity(std::span<float> values) const override;

    /// Weights of all parameters, with those of the velocity network in the packed layout of the kernels.
    template <class Real>
    struct Weights {
        std::span<const Real> values;
        nn::SkipMlp::Packed<Real> mlp;
        nn::SkipMlp::Packed<linalg::bfloat16> mlp_bf16;
    };
    /// Packs weights for matrix products of a precision, with all threads.
    ///
    /// The result serves any number of evaluations. It refers to `values`, which must outlive it.
    template <class Real>
    void pack(std::span<const Real> values, linalg::Precision precision, Weights<Real>& weights) const;

    /// Activations and buffers of one thread. They grow to the largest slot and are then reused.
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
        Weights<Real> weights;    ///< packed weights of the overloads that take unpacked values
        Weights<Real> modulated;  ///< packed weights of the network modulated for the slot
        nn::Modulation::Cache<Real> modulation;
        const nn::GradientSink* gradient_sink = nullptr;  ///< callback of the request, null without one
    };

    /// Adds the gradient of the full loss of a slot to `gradients`, in the precision of the shape. With a
    /// fixed encoder the slot must have its embedding.
    ///
    /// Shapes: values, gradients [layout().size()].
    /// @return the full loss
    /// @throws ShapeMismatch, NumericalError
    template <class Real>
    Real loss_and_gradient(const Weights<Real>& weights, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const;
    /// Same as above, for weights that are not packed.
    template <class Real>
    Real loss_and_gradient(std::span<const Real> values, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const;

    /// Returns the context of a population that was not trained on: its embedding (MFM), the mean one-hot
    /// (CGFM) or an empty vector (FM).
    ///
    /// Shapes: control [n, d], control_type [n] or empty, result [context_size()].
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type, Workspace<float>& workspace) const;

    /// Replaces the context by the one-hot of the pair for CGFM, leaves it unchanged for FM and MFM.
    /// @throws ShapeMismatch, Error if there is no such training pair
    void condition_on_training_pair(std::size_t pair, std::span<float> context) const override;

    std::unique_ptr<Scratch> make_scratch() const override;
    void begin_step(std::span<const float> values,
                    std::span<const std::unique_ptr<Scratch>> scratch) const override;
    /// Returns all parameters, or one part of them for the alternating updates of Updates::alternate.
    ///
    /// * Steps 0, 2, ... update the velocity network (part 0). They use the embedding h stored for the pair,
    ///   whatever the age of the weights that computed it. They compute and store h only on the first visit
    ///   of the pair.
    /// * Steps 1, 3, ... update the encoder (part 1). They compute h from the cells of the slot and store it
    ///   for the pair.
    ///
    /// Embeddings are stored per pair of a control and a treated population. A control with several
    /// treatments therefore has one for each.
    nn::UpdatePhase phase(std::uint64_t step) const override;
    std::size_t memory_size() const override;
    /// @param input  a PairInput
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;
    std::size_t context_size() const override { return shape_.context_size(); }
    std::vector<float> context(std::span<const float> values, linalg::ConstMatrixView<float> control,
                               std::span<const std::uint8_t> control_type) const override;

    /// Overwrites v with v(x, t | h, c), where each cell has its own time.
    ///
    /// Shapes: x, v [n, d], t [n].
    /// @throws ShapeMismatch
    template <class Real>
    void velocity(const Weights<Real>& weights, linalg::Precision precision, std::span<const Real> context,
                  std::span<const Real> condition, std::span<const Real> t, linalg::ConstMatrixView<Real> x,
                  Workspace<Real>& workspace, linalg::MatrixView<Real> v) const;
    /// Same as above in the precision of Real, for weights that are not packed.
    template <class Real>
    void velocity(std::span<const Real> values, std::span<const Real> context,
                  std::span<const Real> condition, std::span<const Real> t, linalg::ConstMatrixView<Real> x,
                  Workspace<Real>& workspace, linalg::MatrixView<Real> v) const;

    /// Integrates each cell in place from t = 0 to t = 1 along the velocity.
    ///
    /// The threads share the work in blocks of rows.
    /// Shape: x [n, d].
    /// @throws NumericalError if the solver cannot keep its tolerance
    ode::Statistics transport(std::span<const float> values, std::span<const float> context,
                              std::span<const float> condition, const ode::Options& options,
                              linalg::MatrixView<float> x) const override;
    /// Evaluates the snapshots with the interpolant of the solver (dense output).
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
    // Packs the weights of the network that one context modulates, or the plain weights without modulation.
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
    std::size_t encoder_size_ = 0;  ///< number of elements of the encoder, the first ones of the layout
    PopulationEncoder encoder_;
    nn::SkipMlp mlp_;
    nn::Modulation modulation_;
};

}  // namespace popflow::models
