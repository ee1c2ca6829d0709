// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::test {

/// dx/dt = cos(t) x, with the solution x(t) = x(0) e^sin(t).
inline void periodic_growth(std::span<const double> t, linalg::ConstMatrixView<double> x,
                            linalg::MatrixView<double> v) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) v(i, j) = std::cos(t[i]) * x(i, j);
    }
}

}  // namespace popflow::test
