// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/neighbours.hpp"
#include "nn/graph_conv.hpp"

namespace popflow::models {

/// Activation function between the layers of the encoder.
enum class EncoderActivation {
    relu,
    none,  ///< linear encoder, which is what the authors' code computes with two layers
};

/// Sizes of a PopulationEncoder.
struct EncoderShape {
    std::size_t inputs = 0;  ///< markers + 2 frequencies + cell types
    std::size_t hidden = 128;
    std::size_t layers = 2;
    std::size_t embedding = 128;
    std::size_t knn = 100;          ///< number of neighbours of each cell, 0 for a DeepSet
    double norm = 1;                ///< length r of the embedding h, 1 in the publication
    std::size_t frequencies = 0;    ///< number of random Fourier frequencies of a cell among its inputs
    double frequency_scale = 0.25;  ///< standard deviation of these frequencies
    EncoderActivation activation = EncoderActivation::relu;
};

/// Graph convolutional network that embeds a population of cells.
///
/// h = r e / ||e||, e = mean over cells of G_L( ... ReLU(G_1(x)) ... ), G(z) = A z W^T + b.
///
/// A averages each cell with its k nearest neighbours among the given cells. The first `markers` columns of x
/// define the neighbours. The last layer is linear and a mean over cells follows it. It is therefore applied
/// once, to the mean of its input weighted by the column means of A, which gives the same result at a
/// fraction of the work.
///
/// Shapes:     x [n, inputs], h [embedding].
/// Source:     Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), section 3, appendix.
///             Graph convolution of Kipf and Welling, ICLR 2017.
/// Deviation:  ReLU between the layers also with two layers, where the authors' code has none.
///             EncoderActivation::none gives the encoder of the authors' code.
class PopulationEncoder {
  public:
    PopulationEncoder() = default;
    /// Adds `name.conv.0`, `name.conv.1`, ... to the layout.
    PopulationEncoder(nn::ParameterLayout& layout, const std::string& name, const EncoderShape& shape);

    /// Overwrites the weights of the encoder with Glorot initial values.
    void initialise(std::span<float> values, std::uint64_t seed) const;

    /// Activations and buffers of one thread that forward() fills for backward().
    template <class Real>
    struct Cache {
        nn::NeighbourGraph graph;
        nn::TransposedGraph transposed;
        linalg::NeighbourScratch<Real> search;
        std::vector<linalg::Matrix<Real>> aggregated;  ///< A z, the input of layer l, where [0] is A x
        std::vector<linalg::Matrix<Real>> z;           ///< output of each layer except the last
        linalg::Matrix<Real> dz;
        linalg::Matrix<Real> dz_below;
        std::vector<Real> weight;  ///< column means of A
        linalg::Matrix<Real> pooled;
        linalg::Matrix<Real> dpooled;
        linalg::Matrix<Real> raw;  ///< e
        Real norm = 0;
    };

    /// Overwrites h with the embedding of the cells x.
    /// @throws ShapeMismatch if there are k or fewer cells, NumericalError if e is zero
    template <class Real>
    void forward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, std::size_t markers,
                 Cache<Real>& cache, std::span<Real> h) const;

    /// Adds the parameter gradients for dh, the gradient with respect to h, to `gradients`.
    ///
    /// Reads and overwrites the cache that forward() filled for the same x.
    template <class Real>
    void backward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, std::span<const Real> h,
                  std::span<const Real> dh, Cache<Real>& cache, std::span<Real> gradients) const;

    const EncoderShape& shape() const { return shape_; }

  private:
    EncoderShape shape_;
    std::vector<nn::Linear> layers_;
};

}  // namespace popflow::models
