// SPDX-License-Identifier: MIT
#include "nn/graph_conv.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::nn::NeighbourGraph;
namespace nn = popflow::nn;

namespace {

// Neighbours of the cells: 1 and 2 of cell 0, 0 and 2 of cell 1, 0 and 1 of cells 2 and 3.
const NeighbourGraph graph{4, 2, {1, 2, 0, 2, 0, 1, 0, 1}};

}  // namespace

TEST(Aggregate, IsTheMeanOverACellAndItsNeighbours) {
    Matrix<double> z(4, 1);
    for (std::size_t i = 0; i < 4; ++i) z(i, 0) = static_cast<double>(i * i);
    Matrix<double> y(4, 1);

    nn::aggregate<double>(graph, z.view(), y.view());

    EXPECT_DOUBLE_EQ(y(0, 0), 5.0 / 3);
    EXPECT_DOUBLE_EQ(y(3, 0), 10.0 / 3);
}

TEST(Aggregate, BackwardIsTheTranspose) {
    const auto z = popflow::support::random_matrix<double>(4, 3, 1);
    const auto dy = popflow::support::random_matrix<double>(4, 3, 2);
    Matrix<double> y(4, 3);
    Matrix<double> dz(4, 3);

    nn::aggregate<double>(graph, z.view(), y.view());
    nn::TransposedGraph transposed;
    nn::aggregate_backward<double>(graph, dy.view(), transposed, dz.view());

    double left = 0;
    double right = 0;
    for (std::size_t i = 0; i < 12; ++i) {
        left += y.values()[i] * dy.values()[i];
        right += z.values()[i] * dz.values()[i];
    }
    EXPECT_NEAR(left, right, 1e-12);
}

TEST(ColumnMeans, AreTheCellWeightsOfTheMeanAggregate) {
    const auto z = popflow::support::random_matrix<double>(4, 1, 3);
    Matrix<double> y(4, 1);

    std::vector<double> weight;
    graph.column_means(weight);
    nn::aggregate<double>(graph, z.view(), y.view());

    double weighted = 0;
    double mean = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        weighted += weight[i] * z(i, 0);
        mean += y(i, 0) / 4;
    }
    EXPECT_NEAR(weighted, mean, 1e-14);
    EXPECT_NEAR(std::accumulate(weight.begin(), weight.end(), 0.0), 1.0, 1e-14);
}
