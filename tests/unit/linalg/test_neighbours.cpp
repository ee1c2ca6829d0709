// SPDX-License-Identifier: MIT
#include "linalg/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::linalg::nearest_neighbours;

TEST(Neighbours, MatchAnExampleOnALine) {
    Matrix<float> x(5, 1);
    const float position[] = {0, 1, 3, 7, 8};
    for (std::size_t i = 0; i < 5; ++i) x(i, 0) = position[i];

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

TEST(Neighbours, AreExactForEqualDistancesAndAnyK) {
    // Points of a small grid, in which every fifth point is multiplied by a power of two up to 1024. All
    // coordinates are integers, so that distances are exact.
    const std::size_t n = 500;
    Matrix<float> x(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
        const auto scale = static_cast<float>(i % 5 == 0 ? 1U << (i / 5 % 11) : 1U);
        x(i, 0) = static_cast<float>(i * 7 % 5) * scale;
        x(i, 1) = static_cast<float>(i * 11 % 3) * scale;
    }
    Matrix<double> wide(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < 2; ++j) wide(i, j) = x(i, j);
    }
    for (const std::size_t k : {1U, 10U, 100U, 499U}) {
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < n; ++i) {
            std::vector<std::pair<double, std::uint32_t>> order;
            for (std::uint32_t l = 0; l < n; ++l) {
                const double dx = wide(i, 0) - wide(l, 0);
                const double dy = wide(i, 1) - wide(l, 1);
                if (l != i) order.emplace_back(dx * dx + dy * dy, l);
            }
            std::sort(order.begin(), order.end());
            std::vector<std::uint32_t> nearest;
            for (std::size_t q = 0; q < k; ++q) nearest.push_back(order[q].second);
            std::sort(nearest.begin(), nearest.end());
            expected.insert(expected.end(), nearest.begin(), nearest.end());
        }
        EXPECT_EQ(nearest_neighbours(x.view(), k), expected) << k;
        EXPECT_EQ(nearest_neighbours(wide.view(), k), expected) << k;
    }
}

TEST(Neighbours, AcceptZeroAndRefuseMoreThanAllOtherCells) {
    const auto x = popflow::support::random_matrix<float>(4, 2, 1);
    EXPECT_TRUE(nearest_neighbours(x.view(), 0).empty());
    EXPECT_EQ(nearest_neighbours(x.view(), 3).size(), 12U);
    EXPECT_THROW(nearest_neighbours(x.view(), 4), popflow::core::ShapeMismatch);
}
