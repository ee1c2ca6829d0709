// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "linalg/bfloat16.hpp"
#include "nn/cloud_segments.hpp"
#include "nn/linear.hpp"

namespace popflow::nn {

/// Adaptive layer normalisation of one block of a SetTransformer. A linear layer computes a scale, a shift
/// and a gate for each of the two branches of the block from a vector a of each cloud:
///
///     (c1, e1, g1, c2, e2, g2) = W a + b
///     x = (1 + c) xhat + e         for the normalised rows xhat of the cloud, before its branch
///     h = h + (1 + g) branch(x)
///
/// Shapes:  a [clouds, width], modulation [clouds, 6 width], xhat, x, h [n, width].
/// Source: Peebles and Xie, "Scalable diffusion models with transformers", ICCV 2023, adaLN-Zero. Deviation:
/// a new gate is 1, not 0.
class CloudModulation {
  public:
    enum Branch : std::size_t { attention, mlp };

    CloudModulation() = default;
    /// Adds `name.weight` and `name.bias` to the layout.
    CloudModulation(ParameterLayout& layout, const std::string& name, std::size_t width);

    /// Sets W and b to zero.
    void initialise(std::span<float> values) const;

    /// Gradient of the modulation of a batch. The buffers are reused.
    template <class Real>
    struct Gradient {
        linalg::Matrix<Real> sums;   ///< segment by segment, [segments, 6 width]
        linalg::Matrix<Real> total;  ///< [clouds, 6 width]
    };

    /// Computes the modulation from `a`.
    template <class Real>
    void forward(std::span<const Real> values, linalg::ConstMatrixView<Real> a,
                 linalg::Matrix<Real>& modulation) const;

    /// Prepares the backward pass of a batch with this number of segments.
    template <class Real>
    void begin_backward(std::size_t segments, Gradient<Real>& gradient) const;

    /// Adds the parameter gradients, and the gradient of `a` to `da`. Every segment must have passed the
    /// backward passes of both branches.
    template <class Real>
    void backward(std::span<const Real> values, std::span<const Segment> segments,
                  linalg::ConstMatrixView<Real> a, Gradient<Real>& gradient, linalg::MatrixView<Real> da,
                  std::span<Real> gradients) const;

    /// Scales and shifts rows, each by the modulation of its cloud. On the calling thread, as all functions
    /// below.
    template <class T>
    void scale_and_shift(Branch branch, std::span<const Segment> segments,
                         const linalg::Matrix<linalg::accumulator_t<T>>& modulation,
                         const linalg::Matrix<T>& rows, linalg::Matrix<T>& out) const;

    /// Backward pass of scale_and_shift(). Replaces the gradient of `out` by that of `rows`.
    /// @param d  rows of the gradient from the first segment on
    template <class T>
    void scale_and_shift_backward(Branch branch, std::span<const Segment> segments,
                                  const linalg::Matrix<linalg::accumulator_t<T>>& modulation,
                                  const linalg::Matrix<T>& rows,
                                  linalg::MatrixView<linalg::accumulator_t<T>> d,
                                  Gradient<linalg::accumulator_t<T>>& gradient) const;

    /// Adds gated rows to h, and stores them without the gate in `u`.
    /// @param x  rows of the output of the branch from the first segment on, without its bias
    template <class T>
    void add_gated(Branch branch, std::span<const Segment> segments,
                   const linalg::Matrix<linalg::accumulator_t<T>>& modulation,
                   linalg::ConstMatrixView<linalg::accumulator_t<T>> x,
                   std::span<const linalg::accumulator_t<T>> bias, linalg::Matrix<T>& u,
                   linalg::Matrix<linalg::accumulator_t<T>>& h) const;

    /// Backward pass of add_gated(). Stores the gradient of `u`, rounded to T, and adds its column sums.
    template <class T>
    void gated_backward(Branch branch, std::span<const Segment> segments,
                        const linalg::Matrix<linalg::accumulator_t<T>>& modulation,
                        const linalg::Matrix<linalg::accumulator_t<T>>& dh, const linalg::Matrix<T>& u,
                        linalg::Matrix<T>& du, std::span<linalg::accumulator_t<T>> sums,
                        Gradient<linalg::accumulator_t<T>>& gradient) const;

    const Tensor& weight() const { return layer_.weight(); }

  private:
    Linear layer_;
};

}  // namespace popflow::nn
