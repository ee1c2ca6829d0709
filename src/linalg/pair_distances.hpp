// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Returns the squared Euclidean distances between the rows, with all threads.
///
/// Shapes: x [n, p], result [n, n].
Eigen::MatrixXd squared_distances(ConstMatrixView<double> x);

/// Returns the median of the positive squared distances between two rows, 0 if all rows are equal.
double median_distance(const Eigen::MatrixXd& distances);

}  // namespace popflow::linalg
