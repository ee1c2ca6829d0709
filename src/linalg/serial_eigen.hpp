// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

namespace popflow::linalg {

/// Makes products of Eigen use one thread while it lives: with several, the order of their sums depends on
/// the number of threads.
class SerialEigen {
  public:
    SerialEigen() { Eigen::setNbThreads(1); }
    ~SerialEigen() { Eigen::setNbThreads(0); }
    SerialEigen(const SerialEigen&) = delete;
    SerialEigen& operator=(const SerialEigen&) = delete;
};

}  // namespace popflow::linalg
