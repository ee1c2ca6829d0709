// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "nn/linear.hpp"

namespace popflow::nn {

/// The k-nearest-neighbour graph of a population: row i of A has 1/(k+1) at i and at its k neighbours.
///
/// Every cell has exactly k neighbours, so this mean is what the symmetric normalisation of graph convolution
/// reduces to. With k = 0, A is the identity.
struct NeighbourGraph {
    std::size_t n = 0;
    std::size_t k = 0;
    std::vector<std::uint32_t> neighbours;  ///< [n k], as linalg::nearest_neighbours gives them

    /// Column means of A, [n]: the weight of each cell in the mean over cells of A z; overwritten.
    template <class Real>
    void column_means(std::vector<Real>& mean) const;
};

/// The cells that have each cell as a neighbour; buffers of aggregate_backward().
struct TransposedGraph {
    std::vector<std::uint32_t> first;  ///< [n + 1], where those of cell j begin in `source`
    std::vector<std::uint32_t> next;
    std::vector<std::uint32_t> source;  ///< [n k]
};

/// y = A z. Shapes: z, y [n, h]; y is overwritten.
template <class Real>
void aggregate(const NeighbourGraph& graph, linalg::ConstMatrixView<Real> z, linalg::MatrixView<Real> y);

/// dz = A^T dy, overwritten; each row is summed in ascending order of its sources.
template <class Real>
void aggregate_backward(const NeighbourGraph& graph, linalg::ConstMatrixView<Real> dy,
                        TransposedGraph& transposed, linalg::MatrixView<Real> dz);

}  // namespace popflow::nn
