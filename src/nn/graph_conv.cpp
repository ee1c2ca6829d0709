// SPDX-License-Identifier: MIT
#include "nn/graph_conv.hpp"

namespace popflow::nn {

using linalg::ConstMatrixView;
using linalg::MatrixView;

template <class Real>
std::vector<Real> NeighbourGraph::column_means() const {
    std::vector<std::uint32_t> count(n, 1);
    for (std::uint32_t j : neighbours) ++count[j];
    std::vector<Real> mean(n);
    for (std::size_t j = 0; j < n; ++j)
        mean[j] = static_cast<Real>(count[j]) / static_cast<Real>((k + 1) * n);
    return mean;
}

template <class Real>
void aggregate(const NeighbourGraph& graph, ConstMatrixView<Real> z, MatrixView<Real> y) {
    core::check_shape("aggregate.z", z.rows, z.cols, graph.n, y.cols);
    const Real scale = Real{1} / static_cast<Real>(graph.k + 1);
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < graph.n; ++i) {
        Real* out = y.row(i);
        std::copy_n(z.row(i), z.cols, out);
        for (std::size_t e = i * graph.k; e < (i + 1) * graph.k; ++e) {
            const Real* neighbour = z.row(graph.neighbours[e]);
            for (std::size_t j = 0; j < z.cols; ++j) out[j] += neighbour[j];
        }
        for (std::size_t j = 0; j < z.cols; ++j) out[j] *= scale;
    }
}

template <class Real>
void aggregate_backward(const NeighbourGraph& graph, ConstMatrixView<Real> dy, MatrixView<Real> dz) {
    // y = A z; the cells that have j as a neighbour, in ascending order, by counting sort.
    std::vector<std::uint32_t> first(graph.n + 1, 0);
    for (std::uint32_t j : graph.neighbours) ++first[j + 1];
    for (std::size_t j = 0; j < graph.n; ++j) first[j + 1] += first[j];
    std::vector<std::uint32_t> source(graph.neighbours.size());
    std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
    for (std::size_t e = 0; e < source.size(); ++e) {
        source[next[graph.neighbours[e]]++] = static_cast<std::uint32_t>(e / graph.k);
    }
    const Real scale = Real{1} / static_cast<Real>(graph.k + 1);
#pragma omp parallel for schedule(static)
    for (std::size_t j = 0; j < graph.n; ++j) {
        Real* out = dz.row(j);
        std::copy_n(dy.row(j), dy.cols, out);
        for (std::size_t e = first[j]; e < first[j + 1]; ++e) {
            const Real* d = dy.row(source[e]);
            for (std::size_t c = 0; c < dy.cols; ++c) out[c] += d[c];
        }
        for (std::size_t c = 0; c < dy.cols; ++c) out[c] *= scale;
    }
}

template std::vector<float> NeighbourGraph::column_means() const;
template std::vector<double> NeighbourGraph::column_means() const;
template void aggregate(const NeighbourGraph&, ConstMatrixView<float>, MatrixView<float>);
template void aggregate(const NeighbourGraph&, ConstMatrixView<double>, MatrixView<double>);
template void aggregate_backward(const NeighbourGraph&, ConstMatrixView<float>, MatrixView<float>);
template void aggregate_backward(const NeighbourGraph&, ConstMatrixView<double>, MatrixView<double>);

}  // namespace popflow::nn
