// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "linalg/neighbours.hpp"
#include "nn/graph_conv.hpp"

namespace popflow::models {

/// What stands between the layers of the encoder.
enum class EncoderActivation {
    relu,
    none,  ///< as the authors' code computes with two layers: the encoder is linear
};

/// Sizes of a PopulationEncoder.
struct EncoderShape {
    std::size_t inputs = 0;  ///< markers + 2 frequencies + cell types
    std::size_t hidden = 128;
    std::size_t layers = 2;
    std::size_t embedding = 128;
    std::size_t knn = 100;          ///< neighbours of each cell; 0 is a DeepSet
    double norm = 1;                ///< length of h; the published one is 1
    std::size_t frequencies = 0;    ///< random Fourier frequencies of a cell among its inputs
    double frequency_scale = 0.25;  ///< standard deviation of those
    EncoderActivation activation = EncoderActivation::relu;
};

/// Embedding of a population: h = r e / ||e||, e = mean over cells of G_L( ... ReLU(G_1(x)) ... ), G(z) = A z
/// W^T + b.
///
/// A is the mean over each cell and its k nearest neighbours among the cells given. The last layer is linear
/// and is followed by a mean over cells, so it is applied once, to the mean of its input weighted by the
/// column means of A: the same numbers at a fraction of the work.
///
/// Shapes:  x [n, inputs], neighbours by the first `markers` columns of x; h [embedding].
/// Source:  Atanackovic et al., "Meta Flow Matching", ICLR 2025 (arXiv 2408.14608), section 3 and appendix;
/// graph
///          convolution of Kipf and Welling, ICLR 2017. Deviation: ReLU between the layers also in the
///          two-layer case, where the authors' code has none, unless shape.activation says so.
class PopulationEncoder {
  public:
    PopulationEncoder() = default;
    PopulationEncoder(nn::ParameterLayout& layout, const std::string& name, const EncoderShape& shape);

    void initialise(std::span<float> values, std::uint64_t seed) const;

    template <class Real>
    struct Cache {
        nn::NeighbourGraph graph;
        nn::TransposedGraph transposed;
        linalg::NeighbourScratch<Real> search;
        std::vector<linalg::Matrix<Real>> aggregated;  ///< A z, input of layer l; [0] of x
        std::vector<linalg::Matrix<Real>> z;           ///< output of each layer but the last
        linalg::Matrix<Real> dz;
        linalg::Matrix<Real> dz_below;
        std::vector<Real> weight;  ///< column means of A
        linalg::Matrix<Real> pooled;
        linalg::Matrix<Real> dpooled;
        linalg::Matrix<Real> raw;  ///< e
        Real norm = 0;
    };

    /// h is overwritten. @throws ShapeMismatch if there are not more than k cells; NumericalError if e is
    /// zero
    template <class Real>
    void forward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, std::size_t markers,
                 Cache<Real>& cache, std::span<Real> h) const;

    /// Parameter gradients accumulate.
    template <class Real>
    void backward(std::span<const Real> values, linalg::ConstMatrixView<Real> x, std::span<const Real> h,
                  std::span<const Real> dh, Cache<Real>& cache, std::span<Real> gradients) const;

    const EncoderShape& shape() const { return shape_; }

  private:
    EncoderShape shape_;
    std::vector<nn::Linear> layers_;
};

}  // namespace popflow::models
