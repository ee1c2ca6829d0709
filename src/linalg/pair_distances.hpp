// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Returns a copy of a matrix.
Eigen::MatrixXd to_eigen(ConstMatrixView<double> x);

/// Makes products of Eigen use one thread while it lives: with several, the order of their sums depends on
/// the number of threads.
class SerialEigen {
  public:
    SerialEigen() { Eigen::setNbThreads(1); }
    ~SerialEigen() { Eigen::setNbThreads(0); }
    SerialEigen(const SerialEigen&) = delete;
    SerialEigen& operator=(const SerialEigen&) = delete;
};

/// Returns the squared Euclidean distances between the rows, with all threads.
///
/// Shapes: x [n, p], result [n, n].
Eigen::MatrixXd squared_distances(ConstMatrixView<double> x);

/// Returns the median of the positive squared distances between two rows, 0 if all rows are equal.
double median_distance(const Eigen::MatrixXd& distances);

}  // namespace popflow::linalg
