// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Buffers of nearest_neighbours() that are reused between searches.
template <class Real>
struct NeighbourScratch {
    struct Thread {
        Matrix<Real> squared;                   ///< squared distances of a group of cells to all cells
        std::vector<std::uint32_t> candidates;  ///< cells that may be among the nearest of one cell
        Real radius = 1;  ///< squared distance within which the last cell's candidates lay: the next guess
    };
    Matrix<Real> columns;  ///< x transposed, rows padded to whole vectors
    std::vector<Thread> threads;
};

/// Finds the k nearest neighbours of every cell among the other cells, by Euclidean distance.
///
/// Compares sums of squared differences in the precision of x. Among equal distances the lower index wins. A
/// cell is not its own neighbour. With k = 0 the result is empty.
///
/// Shapes:  x [n, d], nearest [n * k]. The neighbours of cell i are at [i k, (i + 1) k), in ascending order
/// of index.
/// @throws ShapeMismatch unless k < n
void nearest_neighbours(ConstMatrixView<float> x, std::size_t k, NeighbourScratch<float>& scratch,
                        std::vector<std::uint32_t>& nearest);
void nearest_neighbours(ConstMatrixView<double> x, std::size_t k, NeighbourScratch<double>& scratch,
                        std::vector<std::uint32_t>& nearest);

/// Returns the k nearest neighbours, with temporary buffers.
template <class Real>
std::vector<std::uint32_t> nearest_neighbours(MatrixView<Real> x, std::size_t k) {
    NeighbourScratch<std::remove_const_t<Real>> scratch;
    std::vector<std::uint32_t> nearest;
    nearest_neighbours(ConstMatrixView<std::remove_const_t<Real>>(x), k, scratch, nearest);
    return nearest;
}

}  // namespace popflow::linalg
