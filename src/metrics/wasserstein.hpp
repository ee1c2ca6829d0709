// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact.hpp"

namespace popflow::metrics {

struct Wasserstein {
    double w1;  ///< min over plans of the mean of ||x - y||
    double w2;  ///< root of the min over plans of the mean of ||x - y||^2
};

/// W1 and W2 between two populations of cells of equal weight, by exact transport over one matrix of
/// distances.
///
/// Shapes:  x [n, d], y [m, d]. Memory: 4 n m bytes.
/// Units:   those of the markers.
/// @throws core::ShapeMismatch if the populations differ in markers or one is empty
/// @throws core::NumericalError if a value is not finite
Wasserstein wasserstein(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

/// W1 and W2 between populations that are translates of one another and the same population y.
///
/// W2^2(x + s, y) = W2^2(x, y) + 2 s (mean x - mean y) + |s|^2: the plan is the same, and so are the duals
/// but for what is linear in the cells. The plan of the first population therefore serves the others, if its
/// value over their own costs is proven to be the least to 2e-7 of itself, as rounded translates allow; else,
/// and for anything that is not a translate, the problem is solved.
class TranslatesDistance {
  public:
    /// @param y  must outlive this
    explicit TranslatesDistance(linalg::ConstMatrixView<float> y) : y_(y) {}
    /// @throws as wasserstein()
    Wasserstein operator()(linalg::ConstMatrixView<float> x);
    /// How often the plan of an earlier population served.
    std::size_t served() const { return served_; }

  private:
    double squared(const ot::Cost& cost, linalg::ConstMatrixView<float> x, const ot::TransportPlan& first);

    linalg::ConstMatrixView<float> y_;
    linalg::Matrix<float> x_;  // that `known_` is of
    ot::TransportPlan known_;
    std::size_t served_ = 0;
};

/// W1 alone, as in wasserstein().
double wasserstein1(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
/// W2 alone, as in wasserstein().
double wasserstein2(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

/// W1 of two samples of the line: the integral of |F - G|, F and G their distribution functions.
///
/// Shapes:  x [n], y [m], in any order.
/// @throws core::ShapeMismatch if one is empty
/// @throws core::NumericalError if a value is not finite
double wasserstein1_1d(std::span<const float> x, std::span<const float> y);

/// wasserstein1_1d() of every marker.
///
/// Shapes:  x [n, d], y [m, d]; result [d].
/// @throws as wasserstein()
std::vector<double> per_marker_w1(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

}  // namespace popflow::metrics
