// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact.hpp"

namespace popflow::metrics {

struct Wasserstein {
    double w1;  ///< minimum over plans of the mean of ||x - y||
    double w2;  ///< square root of the minimum over plans of the mean of ||x - y||^2
};

/// Returns W1 and W2 between two populations. All cells of a population have the same weight.
///
/// Both are exact. They share one distance matrix, which is squared in place for W2.
///
/// Shapes:  x [n, d], y [m, d]. Memory: 4 n m bytes.
/// Units:   those of the markers.
/// @throws core::ShapeMismatch if the populations differ in their number of markers or one is empty
/// @throws core::NumericalError if a value is not finite
Wasserstein wasserstein(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

/// Computes W1 and W2 between one population y and several others, and reuses the W2 plan between translates.
///
/// W2^2(x + s, y) = W2^2(x, y) + 2 s (mean x - mean y) + |s|^2. A translation leaves the optimal plan
/// unchanged and adds a linear function of the cells to the dual potentials. Reuses the last plan only if the
/// duality gap proves its cost for the new population optimal to a relative 2e-7, which allows for rounded
/// translates. Otherwise, and for a population that is not a translate, solves the problem.
class CachedWasserstein {
  public:
    /// @param y  must outlive this object
    explicit CachedWasserstein(linalg::ConstMatrixView<float> y) : y_(y) {}
    /// Returns W1 and W2 between x and y.
    /// @throws as wasserstein()
    Wasserstein operator()(linalg::ConstMatrixView<float> x);
    /// Number of calls that reused the plan of an earlier population.
    std::size_t reuse_count() const { return reuse_count_; }

  private:
    double squared_w2(const ot::Cost& cost, linalg::ConstMatrixView<float> x,
                      const ot::TransportPlan& w1_plan);

    linalg::ConstMatrixView<float> y_;
    linalg::Matrix<float> solved_x_;  // population of `last_plan_`
    ot::TransportPlan last_plan_;
    std::size_t reuse_count_ = 0;
};

/// Returns only W1, as in wasserstein().
double wasserstein1(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
/// Returns only W2, as in wasserstein().
double wasserstein2(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

/// Returns W1 between two samples of real numbers: the integral of |F - G| over their empirical distribution
/// functions F and G.
///
/// Shapes:  x [n], y [m], in any order.
/// @throws core::ShapeMismatch if one is empty
/// @throws core::NumericalError if a value is not finite
double wasserstein1_1d(std::span<const float> x, std::span<const float> y);

/// Returns wasserstein1_1d() for every marker.
///
/// Shapes:  x [n, d], y [m, d], result [d].
/// @throws as wasserstein()
std::vector<double> per_marker_w1(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

}  // namespace popflow::metrics
