// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Returns the r2 of the published tables: the Pearson correlation (not its square) between the upper
/// triangles of the two marker-marker Pearson correlation matrices.
///
/// A marker that is constant in either population is excluded from both matrices. Above
/// max_stored_correlations markers the result comes from wide_correlation_r2().
///
/// Shapes:  x [n, d], y [m, d].
/// @return NaN if fewer than three markers remain, or a triangle is constant
/// @throws core::ShapeMismatch if the populations differ in their number of markers
double correlation_r2(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);

/// Returns the coefficient of determination of the marker means:
/// 1 - sum_j (t_j - p_j)^2 / sum_j (t_j - mean t)^2. t and p are the means of truth and prediction.
///
/// Not symmetric. At most 1. Negative if predicting the mean of all true means for every marker would be
/// more accurate.
///
/// Shapes:  predicted [n, d], truth [m, d].
/// Source:  the r2 of CellFlow, which is scikit-learn's r2_score(truth, prediction). CellOT reports a squared
///          correlation instead.
/// @return NaN if the true means are all equal, as with a single marker
/// @throws core::ShapeMismatch if the populations differ in their number of markers
double r2_of_means(linalg::ConstMatrixView<float> predicted, linalg::ConstMatrixView<float> truth);

}  // namespace popflow::metrics
