// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Buffers of nearest_neighbours(), reused from one search to the next.
template <class Real>
struct NeighbourScratch {
    struct Thread {
        Matrix<Real> squared;             ///< distances of a few cells to all others
        std::vector<std::uint32_t> kept;  ///< cells that may be among the nearest of one
        Real reach = 1;                   ///< squared distance that held those of the last one
    };
    Matrix<Real> columns;  ///< x transposed, its rows padded to whole vectors
    std::vector<Thread> threads;
};

/// The k nearest neighbours of every cell among the others, by Euclidean distance.
///
/// Distances are sums of squared differences in the precision of x; equal distances are ordered by index. A
/// cell is not its own neighbour. With k = 0 the result is empty.
///
/// Shapes:  x [n, d]; nearest [n * k], the neighbours of cell i at [i k, (i + 1) k), in ascending order of
/// index.
/// @throws ShapeMismatch unless k < n
void nearest_neighbours(ConstMatrixView<float> x, std::size_t k, NeighbourScratch<float>& scratch,
                        std::vector<std::uint32_t>& nearest);
void nearest_neighbours(ConstMatrixView<double> x, std::size_t k, NeighbourScratch<double>& scratch,
                        std::vector<std::uint32_t>& nearest);

/// The same with buffers of its own.
template <class Real>
std::vector<std::uint32_t> nearest_neighbours(MatrixView<Real> x, std::size_t k) {
    NeighbourScratch<std::remove_const_t<Real>> scratch;
    std::vector<std::uint32_t> nearest;
    nearest_neighbours(ConstMatrixView<std::remove_const_t<Real>>(x), k, scratch, nearest);
    return nearest;
}

}  // namespace popflow::linalg
