// SPDX-License-Identifier: MIT
#include "ot/exact/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::ot::Candidates;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::IntegerCost;
using popflow::support::normal_population;

namespace {

// Checks that listed arcs have exact costs, and that the bound holds for all others.
void expect_bounds_hold(const IntegerCost& integer, const Candidates& candidates,
                        const std::vector<std::int64_t>& g, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        std::set<std::uint32_t> listed;
        for (const auto& arc : candidates.row(i)) {
            EXPECT_EQ(arc.cost, integer(i, arc.col));
            EXPECT_LE(arc.least, arc.cost - g[arc.col]);
            EXPECT_TRUE(listed.insert(arc.col).second);
        }
        for (std::uint32_t j = 0; j < g.size(); ++j) {
            if (listed.contains(j)) continue;
            EXPECT_GE(integer(i, j) - g[j], candidates.bound(i));
        }
    }
}

}  // namespace

TEST(Candidates, AreTheSmallestReducedCosts) {
    const Matrix<float> x = normal_population(70, 4, 1);
    const Matrix<float> y = normal_population(500, 4, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const IntegerCost integer(cost);
    std::vector<std::int64_t> g(500);
    for (std::size_t j = 0; j < 500; ++j) g[j] = integer.from_matrix_units(static_cast<double>(j % 7) / 20);

    const Candidates candidates(cost, integer, g, 9);

    for (std::uint32_t i = 0; i < 70; ++i) {
        std::vector<std::int64_t> all(500);
        for (std::size_t j = 0; j < 500; ++j) all[j] = integer(i, j) - g[j];
        std::sort(all.begin(), all.end());
        ASSERT_EQ(candidates.row(i).size(), 9U);
        // Reduced costs this far apart have the same order in fp32.
        for (std::size_t l = 0; l < 9; ++l) {
            EXPECT_NEAR(integer.to_matrix_units(candidates.row(i)[l].least), integer.to_matrix_units(all[l]),
                        1e-6);
        }
    }
}

TEST(Candidates, BoundsHoldWhenDualsDecrease) {
    const Matrix<float> x = normal_population(60, 2, 1);
    const Matrix<float> y = normal_population(300, 2, 2);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    const IntegerCost integer(cost);
    std::vector<std::int64_t> g(300, 0);
    Candidates candidates(cost, integer, g, 16);
    expect_bounds_hold(integer, candidates, g, 60);

    popflow::core::Stream stream(3, popflow::core::Purpose::test);
    for (std::size_t j = 0; j < 300; ++j) {
        g[j] -= integer.from_matrix_units(stream.uniform() * 0.1);
        candidates.lower(j, g[j]);
    }
    expect_bounds_hold(integer, candidates, g, 60);

    for (std::size_t i = 0; i < 60; ++i) candidates.list(i, 40);
    expect_bounds_hold(integer, candidates, g, 60);
    EXPECT_EQ(candidates.size(), 60U * 40);

    candidates.list(0, 1000);
    EXPECT_EQ(candidates.row(0).size(), 300U);
    EXPECT_EQ(candidates.bound(0), std::numeric_limits<std::int64_t>::max());
}

TEST(Candidates, EqualCostsAreSpreadOverTheColumns) {
    Matrix<float> x(100, 2);
    const Cost cost(CostKind::euclidean, x.view(), x.view());
    const IntegerCost integer(cost);

    const Candidates candidates(cost, integer, std::vector<std::int64_t>(100, 0), 2);

    for (std::uint32_t i = 0; i < 100; ++i) {
        for (const auto& arc : candidates.row(i)) EXPECT_LE((arc.col + 100 - i) % 100, 1U);
    }
}
