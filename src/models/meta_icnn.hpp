// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/family.hpp"
#include "models/model.hpp"
#include "models/population_encoder.hpp"
#include "nn/potential_pair.hpp"
#include "nn/skip_mlp.hpp"
#include "ot/balanced_coordinates.hpp"

namespace popflow::models {

/// Input of the encoder of a MetaIcnn.
enum class MapInputs : std::uint8_t {
    cells,      ///< the cells, one after the other
    histogram,  ///< a histogram of the cells
};

/// Sizes of a MetaIcnn.
struct MetaIcnnShape {
    std::size_t markers = 0;
    MapInputs inputs = MapInputs::cells;
    std::size_t bins = 16;    ///< bins of an axis of the histogram
    std::size_t units = 128;  ///< hidden units of a potential
    double cycle = 1;         ///< see nn::PotentialPairOptions
    std::size_t encoder_hidden = 64;
    std::size_t encoder_layers = 3;
    std::size_t embedding = 64;
    std::size_t hidden = 256;                               ///< width of the network behind the encoder
    std::size_t layers = 3;                                 ///< number of its hidden layers
    linalg::Precision precision = linalg::Precision::fp32;  ///< precision of its matrix products in training
};

/// Convex potentials of transport between two populations, predicted by a hypernetwork (Meta ICNN).
///
/// A set encoder e embeds the clouds u and v of both populations in the coordinates of
/// ot::BalancedCoordinates. A network N maps the embeddings and the covariance C of both clouds to the
/// parameters of a ConvexPotential:
///
///     source potential = base + 0.1 N(e(u), e(v), C),    target potential = base + 0.1 N(e(v), e(u), C).
///
/// With MapInputs::histogram, the encoder has one input row: the histogram_features() of the cloud after
/// histogram_coordinates() of C. A bin then has the same meaning in all problems, and C has the scale that
/// these coordinates lack.
///
/// The last layer of N starts at zero, and the base at parameters whose map is the identity up to about 1 %.
/// So a fresh model maps by the Gaussian map of the two populations. Loss: that of nn::PotentialPair, as mean
/// over the problems of a slot.
///
/// Source: Amos, Luise, Cohen and Redko, "Meta optimal transport", ICML 2023.
/// Deviations from the source: the prediction is a residual to the Gaussian map, and one network predicts
/// both potentials. An encoder of cells or of their histogram replaces the ResNet of whole images.
class MetaIcnn : public Model, public GradientTraining, public PotentialPredictor {
  public:
    explicit MetaIcnn(const MetaIcnnShape& shape);

    const nn::ParameterLayout& layout() const override { return layout_; }
    const GradientTraining* gradient_training() const override { return this; }
    const PotentialPredictor* potential_predictor() const override { return this; }

    linalg::AlignedVector<float> initial_values(std::uint64_t seed) const override;
    std::unique_ptr<Scratch> make_scratch() const override;
    void begin_step(std::span<const float> values,
                    std::span<const std::unique_ptr<Scratch>> scratch) const override;
    nn::UpdatePhase phase(std::uint64_t step) const override;
    /// @param input  a CloudPairInput
    double slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                         std::span<float> gradients) const override;

    nn::PotentialShape potential_shape() const override {
        return {.inputs = shape_.markers, .hidden = shape_.units};
    }
    double cycle_weight() const override { return shape_.cycle; }
    PredictedPotentials predict(std::span<const float> values,
                                const BalancedClouds<float>& clouds) const override;

    /// Weights in the packed layout of the kernels. T is float, bfloat16 or double.
    template <class T>
    struct Weights {
        std::span<const linalg::accumulator_t<T>> values;
        nn::SkipMlp::Packed<T> network;
    };
    /// Packs weights. The result refers to `values`, which must outlive it.
    template <class T>
    void pack(std::span<const linalg::accumulator_t<T>> values, Weights<T>& weights) const;

    /// Activations and buffers of one thread.
    template <class T>
    struct Workspace {
        using Real = linalg::accumulator_t<T>;
        /// One side of a problem.
        struct Side {
            linalg::Matrix<Real> histogram;  ///< [1, B^d], empty unless it is the input of the encoder
            PopulationEncoder::Cache<Real> encoder;
            std::vector<Real> embedding;
            std::vector<Real> d_embedding;
            std::vector<Real> inputs;  ///< embeddings of this side and of the other one
            std::vector<Real> d_inputs;
            nn::SkipMlp::Cache<T> network;
            linalg::Matrix<Real> parameters;    ///< [1, size]
            linalg::Matrix<Real> d_parameters;  ///< [1, size]
        };
        Side source;
        Side target;
        nn::PotentialPair<Real> pair;
    };

    /// Adds the gradient of the loss of one problem, times `share`, to `gradients`, and returns the loss.
    /// @throws core::ShapeMismatch
    template <class T>
    double loss_and_gradient(const Weights<T>& weights,
                             const BalancedClouds<linalg::accumulator_t<T>>& clouds,
                             linalg::accumulator_t<T> share, Workspace<T>& workspace,
                             std::span<linalg::accumulator_t<T>> gradients) const;

    /// Overwrites the parameters of both sides in the workspace.
    /// @param keep  whether a backward pass follows
    template <class T>
    void predict_parameters(const Weights<T>& weights, const BalancedClouds<linalg::accumulator_t<T>>& clouds,
                            bool keep, Workspace<T>& workspace) const;

    /// Factor of the output of the network.
    static constexpr double output_scale = 0.1;

  private:
    // Returns the input rows of the encoder for one side that predict_parameters() has visited.
    template <class Real, class Side>
    linalg::ConstMatrixView<Real> encoder_input(const linalg::Matrix<Real>& cells, const Side& side) const {
        return shape_.inputs == MapInputs::histogram ? side.histogram.view() : cells.view();
    }
    template <class T>
    double train(const Request& request, const CloudPairInput& input, Scratch& scratch,
                 std::span<float> gradients) const;

    MetaIcnnShape shape_;
    nn::ParameterLayout layout_;
    nn::Tensor base_;
    PopulationEncoder encoder_;
    nn::SkipMlp network_;
};

/// Returns parameters of a potential with random units whose map is the identity for random normal cells, up
/// to about a fifth of `share` of their spread. The units have this share of the curvature.
///
/// Stream: (seed, weights, key).
/// @param spread  typical standard deviation of a marker
std::vector<float> identity_potential(const nn::PotentialShape& shape, double share, double spread,
                                      std::uint64_t seed, std::uint64_t key);

/// Returns clouds in balanced coordinates.
BalancedClouds<float> balanced_clouds(const ot::BalancedCoordinates& coordinates,
                                      linalg::ConstMatrixView<float> source,
                                      linalg::ConstMatrixView<float> target);

/// Convex potentials between any two populations.
const Family* meta_icnn_family();

}  // namespace popflow::models
