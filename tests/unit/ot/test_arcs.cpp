// SPDX-License-Identifier: MIT
#include "ot/exact/arcs.hpp"

#include <gtest/gtest.h>

#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::ot::Arc;
using popflow::ot::ArcList;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::IntegerCost;
using popflow::support::normal_population;

TEST(Arcs, AddingRemovesDuplicates) {
    const Matrix<float> x = normal_population(3, 2, 1);
    const Cost cost(CostKind::euclidean, x.view(), x.view());
    const IntegerCost integer(cost);
    ArcList arcs;

    add_arcs(integer, 3, {{0, 1}, {2, 0}, {0, 1}}, arcs);
    add_arcs(integer, 3, {{0, 2}, {0, 1}, {0, 0}}, arcs);

    EXPECT_EQ(arcs.first, (std::vector<std::size_t>{0, 3, 3, 4}));
    EXPECT_EQ(arcs.col, (std::vector<std::uint32_t>{0, 1, 2, 0}));
    EXPECT_EQ(arcs.cost[0], 0);
    EXPECT_EQ(arcs.cost[1], integer(0, 1));
}

TEST(Arcs, ExactlyTheViolatedArcsAreFound) {
    const Matrix<float> x = normal_population(80, 3, 1);
    const Matrix<float> y = normal_population(60, 3, 2);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    const IntegerCost integer(cost);
    std::vector<std::int64_t> f(80);
    std::vector<std::int64_t> g(60, 0);
    // The cheapest arc of an odd row is violated by exactly one unit. That of an even row is tight.
    for (std::size_t i = 0; i < 80; ++i) {
        f[i] = integer(i, 0);
        for (std::size_t j = 1; j < 60; ++j) f[i] = std::min(f[i], integer(i, j));
        f[i] += static_cast<std::int64_t>(i % 2);
    }

    const auto arcs = violated_arcs(cost, integer, f, g, 100);

    ASSERT_EQ(arcs.size(), 40U);
    for (const Arc& arc : arcs) {
        EXPECT_EQ(arc.i % 2, 1U);
        EXPECT_EQ(integer(arc.i, arc.j) - f[arc.i] - g[arc.j], -1);
    }
}
