// SPDX-License-Identifier: MIT
#include "nn/graph_conv.hpp"

#include "core/simd.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::MatrixView;

namespace {

// Computes out = scale (own + sum of the rows of z at `others`), summed in this order.
POPFLOW_SIMD void mean_row(const float* z, std::size_t stride, const float* own, const std::uint32_t* others,
                           std::size_t count, float scale, float* out, std::size_t cols) {
    std::copy_n(own, cols, out);
    for (std::size_t e = 0; e < count; ++e) {
        const float* row = z + others[e] * stride;
#pragma omp simd
        for (std::size_t j = 0; j < cols; ++j) out[j] += row[j];
    }
#pragma omp simd
    for (std::size_t j = 0; j < cols; ++j) out[j] *= scale;
}

void mean_row(const double* z, std::size_t stride, const double* own, const std::uint32_t* others,
              std::size_t count, double scale, double* out, std::size_t cols) {
    std::copy_n(own, cols, out);
    for (std::size_t e = 0; e < count; ++e) {
        for (std::size_t j = 0; j < cols; ++j) out[j] += z[others[e] * stride + j];
    }
    for (std::size_t j = 0; j < cols; ++j) out[j] *= scale;
}

// Transposes the graph by counting sort, so that the sources of a cell are in ascending order.
void transpose(const NeighbourGraph& graph, TransposedGraph& transposed) {
    transposed.first.assign(graph.n + 1, 0);
    for (std::uint32_t j : graph.neighbours) ++transposed.first[j + 1];
    for (std::size_t j = 0; j < graph.n; ++j) transposed.first[j + 1] += transposed.first[j];
    transposed.next.assign(transposed.first.begin(), transposed.first.end() - 1);
    transposed.source.resize(graph.neighbours.size());
    for (std::size_t e = 0; e < transposed.source.size(); ++e) {
        transposed.source[transposed.next[graph.neighbours[e]]++] = static_cast<std::uint32_t>(e / graph.k);
    }
}

}  // namespace

template <class Real>
void NeighbourGraph::column_means(std::vector<Real>& mean) const {
    mean.assign(n, Real{1});  // counts are exact: the division comes last
    for (std::uint32_t j : neighbours) ++mean[j];
    for (Real& m : mean) m /= static_cast<Real>((k + 1) * n);
}

template <class Real>
void aggregate(const NeighbourGraph& graph, ConstMatrixView<Real> z, MatrixView<Real> y) {
    core::check_shape("aggregate.z", z.rows, z.cols, graph.n, y.cols);
    const Real scale = Real{1} / static_cast<Real>(graph.k + 1);
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < graph.n; ++i) {
        mean_row(z.data, z.stride, z.row(i), graph.neighbours.data() + i * graph.k, graph.k, scale, y.row(i),
                 z.cols);
    }
}

template <class Real>
void aggregate_backward(const NeighbourGraph& graph, ConstMatrixView<Real> dy, TransposedGraph& transposed,
                        MatrixView<Real> dz) {
    core::check_shape("aggregate.dy", dy.rows, dy.cols, graph.n, dz.cols);
    transpose(graph, transposed);
    const Real scale = Real{1} / static_cast<Real>(graph.k + 1);
#pragma omp parallel for schedule(static)
    for (std::size_t j = 0; j < graph.n; ++j) {
        const std::size_t first = transposed.first[j];
        mean_row(dy.data, dy.stride, dy.row(j), transposed.source.data() + first,
                 transposed.first[j + 1] - first, scale, dz.row(j), dy.cols);
    }
}

template void NeighbourGraph::column_means(std::vector<float>&) const;
template void NeighbourGraph::column_means(std::vector<double>&) const;
template void aggregate(const NeighbourGraph&, ConstMatrixView<float>, MatrixView<float>);
template void aggregate(const NeighbourGraph&, ConstMatrixView<double>, MatrixView<double>);
template void aggregate_backward(const NeighbourGraph&, ConstMatrixView<float>, TransposedGraph&,
                                 MatrixView<float>);
template void aggregate_backward(const NeighbourGraph&, ConstMatrixView<double>, TransposedGraph&,
                                 MatrixView<double>);

}  // namespace popflow::nn
