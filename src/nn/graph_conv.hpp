// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "nn/linear.hpp"

namespace popflow::nn {

/// Directed k-nearest-neighbour graph of a population with adjacency matrix A. Row i of A is 1/(k+1) at i and
/// at its k neighbours.
///
/// Every cell has exactly k neighbours. Hence the symmetric normalisation of graph convolution reduces to
/// this mean. With k = 0, A is the identity.
struct NeighbourGraph {
    std::size_t n = 0;
    std::size_t k = 0;
    std::vector<std::uint32_t> neighbours;  ///< [n k], from linalg::nearest_neighbours()

    /// Computes the column means of A: the weight of each cell in the mean of the rows of A z.
    /// Shapes: mean [n], overwritten.
    template <class Real>
    void column_means(std::vector<Real>& mean) const;
};

/// Transposed graph, in compressed row form: for each cell, the cells that have it as a neighbour (its
/// sources). Buffers of aggregate_backward().
struct TransposedGraph {
    std::vector<std::uint32_t> first;   ///< [n + 1], position of the first source of cell j in `source`
    std::vector<std::uint32_t> next;    ///< [n], position of the next source to be inserted
    std::vector<std::uint32_t> source;  ///< [n k]
};

/// Computes y = A z. Shapes: z, y [n, h], y overwritten.
template <class Real>
void aggregate(const NeighbourGraph& graph, linalg::ConstMatrixView<Real> z, linalg::MatrixView<Real> y);

/// Computes dz = A^T dy. Each row is summed in ascending order of its sources, so the result is
/// deterministic. Shapes: dy, dz [n, h], dz overwritten.
/// @param transposed  overwritten
template <class Real>
void aggregate_backward(const NeighbourGraph& graph, linalg::ConstMatrixView<Real> dy,
                        TransposedGraph& transposed, linalg::MatrixView<Real> dz);

}  // namespace popflow::nn
