// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// Half of the range of an axis of a histogram, in standard deviations.
inline constexpr double histogram_range = 3;
/// Share of the mean variance that histogram_coordinates() adds to all variances.
inline constexpr double histogram_ridge = 1e-3;
/// Maximum number of bins of a histogram.
inline constexpr std::size_t max_histogram_bins = 65536;

/// Returns the number of bins of a histogram, B^d, or max_histogram_bins + 1 if there are more.
std::size_t histogram_size(std::size_t bins, std::size_t markers);

/// Returns the matrix that gives cells of a covariance C unit covariance: (C + 0.001 trace(C) / d I)^-1/2.
///
/// The added share keeps directions in which the cells do not vary near zero.
/// @param triangle  lower triangle of C, row by row, [d (d + 1) / 2]
/// @throws core::NumericalError if no marker varies
template <class Real>
linalg::Matrix<double> histogram_coordinates(std::span<const Real> triangle, std::size_t d);

/// Overwrites `features` with those of a histogram: sqrt(B^d p) for the share p of cells in each bin.
///
/// So an even distribution has the feature 1 in all bins, and the mean square of the features is 1. An axis
/// is cut into B equal bins from -3 to 3. Cells outside count in the outermost bins. The last marker changes
/// fastest.
///
/// Shapes: cells [n, d], transform [d, d] symmetric, features [B^d].
/// @throws core::ShapeMismatch for other shapes, or without cells
/// @throws core::NumericalError if a coordinate is not finite
template <class Real>
void histogram_features(linalg::ConstMatrixView<Real> cells, const linalg::Matrix<double>& transform,
                        std::size_t bins, std::span<Real> features);

}  // namespace popflow::models
