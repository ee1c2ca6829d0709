// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

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
