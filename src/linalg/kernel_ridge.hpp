// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Kernel of a ridge regression.
enum class RidgeKernel {
    linear,  ///< (x - mean)'(y - mean) with the mean of the training features
    rbf,     ///< exp(-|x - y|^2 / width)
};

/// Widths of the rbf kernel to choose from, relative to the median squared distance of the features.
inline constexpr double ridge_widths[] = {0.5, 1, 2, 4, 8};
/// Penalties to choose from in addition to the infinite one, relative to the mean diagonal of the kernel.
inline constexpr double ridge_penalties[] = {0.01, 0.03, 0.1, 0.3, 1, 3, 10};

/// Kernel ridge regression of one set of targets around their mean.
struct RidgeFit {
    std::vector<double> mean;  ///< [d] mean of the targets, the prediction of an infinite penalty
    /// [n, d] dual weights: the prediction is mean + sum_i k(query, x_i) weights_i. Zeros with an infinite
    /// penalty.
    Matrix<double> weights;
    double width = 0;    ///< width of the rbf kernel, 0 without one
    double penalty = 0;  ///< relative penalty, 0 for the infinite one
    /// Sum over the items of the squared prediction error if the group of the item is left out. Infinite if
    /// there are too few groups to leave one out.
    double error = 0;
    double training_error = 0;  ///< the same sum without leaving anything out
};

/// Smallest number of groups with which fit_kernel_ridge() chooses a penalty. With fewer it is infinite.
inline constexpr std::size_t min_ridge_groups = 3;

/// Fits several sets of targets on the same features, and chooses width and penalty of each of them by
/// leaving out each group in turn.
///
/// With A = K + penalty I, the residual of a left-out group G is ((C_GG)^-1 u_G), where C = A^-1 and
/// u = C (Y - 1 m') with the mean m of the other targets (rbf), or C = A^-1 projected onto the complement of
/// the constants and u = C Y (linear). This is exact: no fold is fitted again. The median distance, the mean
/// diagonal and so the candidates are those of all items in each fold. Ties are resolved in favour of the
/// infinite penalty, then of the first candidate.
///
/// Uses all threads. The result does not depend on their number. Takes O(n^3) for each candidate.
///
/// Shapes: features [n, p], groups [n], targets [n, d] each.
/// @throws core::ShapeMismatch
std::vector<RidgeFit> fit_kernel_ridge(ConstMatrixView<double> features, std::span<const std::size_t> groups,
                                       RidgeKernel kernel, std::span<const ConstMatrixView<double>> targets);

/// Returns the kernel between a query and each training item.
///
/// Shapes: features [n, p], query [p], result [n].
/// @param width  width of the rbf kernel
std::vector<double> ridge_kernel(ConstMatrixView<float> features, std::span<const float> query,
                                 RidgeKernel kernel, double width);

}  // namespace popflow::linalg
