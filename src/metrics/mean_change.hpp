// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Returns the mean of each marker over the cells. Shape: x [n, d], n >= 1.
std::vector<double> marker_means(linalg::ConstMatrixView<float> x);

/// Returns the Pearson correlation of two vectors, NaN if one of them is constant.
double pearson_correlation(std::span<const double> x, std::span<const double> y);

/// Returns the Pearson correlation, over the markers, of the predicted and the true change of the means:
/// of p - c and t - c, with the means c of the control, p of the prediction and t of the truth.
///
/// Source: the correlation of changes in mean expression of Roohani, Huang and Leskovec, Nature Biotechnology
/// 42, 2024 (GEARS), over all markers.
/// @return NaN below three markers, and if one change is the same for all markers, as that of the unchanged
///         control
/// @throws core::ShapeMismatch if the numbers of markers differ
double change_correlation(std::span<const double> control, std::span<const double> predicted,
                          std::span<const double> truth);

/// Returns the number of markers that recall_of_changed() takes as most changed: a fifth of all, rounded up.
std::size_t changed_markers(std::size_t markers);

/// Returns the share of the most changed markers that a prediction finds: of the changed_markers() with the
/// largest true |t - c|, those among as many markers with the largest predicted |p - c|. Of equal changes the
/// first markers count.
///
/// A random choice finds about a fifth of them.
/// @return NaN for a single marker, and if the prediction or the truth changes no marker
/// @throws core::ShapeMismatch if the numbers of markers differ
double recall_of_changed(std::span<const double> control, std::span<const double> predicted,
                         std::span<const double> truth);

}  // namespace popflow::metrics
