// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::support {

/// Returns a matrix of independent normal numbers with mean 0 and standard deviation `scale`.
///
/// @param key  selects the random stream
template <class Real>
linalg::Matrix<Real> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t key, double scale = 1) {
    core::Stream stream(42, core::Purpose::test, key);
    linalg::Matrix<Real> m(rows, cols);
    for (Real& v : m.values()) v = static_cast<Real>(scale * stream.normal());
    return m;
}

}  // namespace popflow::support
