// SPDX-License-Identifier: MIT
#include "ot/exact/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::ot::ArcList;
using popflow::ot::candidate_arcs;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::IntegerCost;
using popflow::support::normal_population;

TEST(Candidates, AreTheSmallestReducedCosts) {
    const Matrix<float> x = normal_population(70, 4, 1);
    const Matrix<float> y = normal_population(500, 4, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const IntegerCost integer(cost);
    std::vector<std::int64_t> g(500);
    for (std::size_t j = 0; j < 500; ++j) g[j] = integer.from_matrix_units(static_cast<double>(j % 7) / 20);

    const ArcList arcs = candidate_arcs(cost, integer, g, 9);

    for (std::uint32_t i = 0; i < 70; ++i) {
        std::vector<std::int64_t> all(500);
        for (std::size_t j = 0; j < 500; ++j) all[j] = integer(i, j) - g[j];
        std::sort(all.begin(), all.end());
        ASSERT_EQ(arcs.first[i + 1] - arcs.first[i], 9U);
        std::vector<std::int64_t> chosen;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            EXPECT_EQ(arcs.cost[e], integer(i, arcs.col[e]));
            EXPECT_TRUE(e == arcs.first[i] || arcs.col[e - 1] < arcs.col[e]);
            chosen.push_back(arcs.cost[e] - g[arcs.col[e]]);
        }
        std::sort(chosen.begin(), chosen.end());
        // Reduced costs this far apart have the same order in fp32.
        for (std::size_t l = 0; l < 9; ++l)
            EXPECT_NEAR(integer.to_matrix_units(chosen[l]), integer.to_matrix_units(all[l]), 1e-6);
    }
}

TEST(Candidates, EqualCostsAreSpreadOverTheColumns) {
    Matrix<float> x(100, 2);
    const Cost cost(CostKind::euclidean, x.view(), x.view());
    const IntegerCost integer(cost);

    const ArcList arcs = candidate_arcs(cost, integer, std::vector<std::int64_t>(100, 0), 2);

    for (std::uint32_t i = 0; i < 100; ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e)
            EXPECT_LE((arcs.col[e] + 100 - i) % 100, 1U);
    }
}

TEST(Candidates, FeasibleArcsCarryAllMass) {
    const std::vector<std::int64_t> supply{3, 0, 4, 1};
    const std::vector<std::int64_t> demand{0, 5, 2, 0, 1};
    const std::vector<popflow::ot::Arc> expected{{0, 1}, {2, 1}, {2, 2}, {3, 4}};
    EXPECT_EQ(popflow::ot::feasible_arcs(supply, demand), expected);
}
