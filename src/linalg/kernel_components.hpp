// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Components of a kernel principal component analysis with the kernel k(x, y) = exp(-|x - y|^2 / width).
///
/// Component c of a query x is sum_i k(x, x_i) weights_ic - offset_c with the rows x_i of the training data.
struct KernelComponents {
    Matrix<double> weights;      ///< [n, components]
    std::vector<double> offset;  ///< [components]
};

/// Computes the first components of the rows of x. Each has mean 0 and variance 1 (divisor n) over the rows.
///
/// With the centred kernel matrix J K J = U diag(l) U', J = I - 1 1' / n, the components of the rows are
/// sqrt(n) U. In each of them the entry of largest magnitude is positive. Components whose l is not above
/// 1e-10 of the largest one are left out, so the result may have fewer than `count`.
///
/// The result does not depend on the number of threads. Takes O(n^3).
///
/// Shapes: x [n, p].
/// Source: Schoelkopf, Smola, Mueller, "Nonlinear component analysis as a kernel eigenvalue problem", Neural
/// Computation 10, 1998.
KernelComponents kernel_components(ConstMatrixView<double> x, double width, std::size_t count);

/// Returns exp(-|x_i - query|^2 / width) for each row x_i.
///
/// Shapes: x [n, p], query [p], result [n].
std::vector<double> gaussian_kernel(ConstMatrixView<double> x, std::span<const double> query, double width);

/// Returns the median of the positive squared distances between two rows, 0 if all rows are equal.
///
/// Shapes: x [n, p].
double median_squared_distance(ConstMatrixView<double> x);

}  // namespace popflow::linalg
