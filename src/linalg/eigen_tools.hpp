// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

#include <Eigen/Core>
#include <cmath>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Row-major matrix of Eigen.
using EigenRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Returns a view of a matrix for Eigen.
inline Eigen::Map<const EigenRows, 0, Eigen::OuterStride<>> eigen_map(ConstMatrixView<double> x) {
    return {x.data, static_cast<Eigen::Index>(x.rows), static_cast<Eigen::Index>(x.cols),
            Eigen::OuterStride<>(static_cast<Eigen::Index>(x.stride))};
}

/// Returns -1 if the element of largest magnitude is negative, otherwise 1. The tolerance makes the first of
/// nearly equal elements decide, whatever the rounding.
template <class Vector>
double sign_of_largest(const Vector& values) {
    double largest = 0;
    for (Eigen::Index i = 0; i < values.size(); ++i) {
        if (std::abs(values(i)) > std::abs(largest) * (1 + 1e-6)) largest = values(i);
    }
    return largest < 0 ? -1 : 1;
}

/// Makes products of Eigen use one thread while it lives: with several, the order of their sums depends on
/// the number of threads. Does nothing inside a parallel region, where Eigen uses one thread anyway.
class SerialEigen {
  public:
    SerialEigen() {
        if (is_active_) Eigen::setNbThreads(1);
    }
    ~SerialEigen() {
        if (is_active_) Eigen::setNbThreads(0);
    }
    SerialEigen(const SerialEigen&) = delete;
    SerialEigen& operator=(const SerialEigen&) = delete;

  private:
    bool is_active_ = omp_in_parallel() == 0;
};

}  // namespace popflow::linalg
