// SPDX-License-Identifier: MIT
#include "linalg/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::linalg::nearest_neighbours;

TEST(Neighbours, OnALineByHand) {
    Matrix<float> x(5, 1);
    const float at[] = {0, 1, 3, 7, 8};
    for (std::size_t i = 0; i < 5; ++i) x(i, 0) = at[i];

    const auto nearest = nearest_neighbours(x.view(), 2);

    EXPECT_EQ(nearest, (std::vector<std::uint32_t>{1, 2, 0, 2, 0, 1, 2, 4, 2, 3}));
}

TEST(Neighbours, TiesGoToTheLowerIndex) {
    Matrix<float> x(6, 2);  // all cells are the same

    const auto nearest = nearest_neighbours(x.view(), 2);

    EXPECT_EQ(nearest, (std::vector<std::uint32_t>{1, 2, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1}));
}

TEST(Neighbours, AgreeWithSortingAllDistances) {
    const std::size_t n = 300;
    const std::size_t k = 17;
    const auto x = popflow::support::random_matrix<float>(n, 43, 5);

    const auto nearest = nearest_neighbours(x.view(), k);

    for (std::size_t i = 0; i < n; ++i) {
        std::vector<double> squared(n, 0);
        for (std::size_t l = 0; l < n; ++l) {
            for (std::size_t j = 0; j < 43; ++j) squared[l] += std::pow(double{x(i, j)} - double{x(l, j)}, 2);
        }
        std::vector<std::uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0U);
        std::sort(order.begin(), order.end(), [&](auto a, auto b) { return squared[a] < squared[b]; });
        std::vector<std::uint32_t> expected(order.begin() + 1, order.begin() + 1 + k);
        std::sort(expected.begin(), expected.end());
        const auto first = nearest.begin() + static_cast<std::ptrdiff_t>(i * k);
        ASSERT_EQ(std::vector<std::uint32_t>(first, first + k), expected) << i;
    }
}

TEST(Neighbours, NoneAndTooMany) {
    const auto x = popflow::support::random_matrix<float>(4, 2, 1);
    EXPECT_TRUE(nearest_neighbours(x.view(), 0).empty());
    EXPECT_EQ(nearest_neighbours(x.view(), 3).size(), 12U);
    EXPECT_THROW(nearest_neighbours(x.view(), 4), popflow::core::ShapeMismatch);
}
