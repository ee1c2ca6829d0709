// SPDX-License-Identifier: MIT
#include "ot/exact/shortest_paths.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"
#include "linalg/matrix.hpp"
#include "ot/exact/network_simplex.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::Candidates;
using popflow::ot::Cost;
using popflow::ot::Flow;
using popflow::ot::IntegerCost;
using popflow::ot::PartialPlan;
using popflow::ot::ShortestPaths;

namespace {

using Units = std::vector<std::int64_t>;

Matrix<double> random_costs(std::size_t n, std::size_t m, std::uint64_t distinct, std::uint64_t seed) {
    Stream stream(seed, Purpose::test);
    Matrix<double> c(n, m);
    for (double& v : c.values()) v = static_cast<double>(stream.below(distinct));
    return c;
}

// Returns random units that sum to `total`. Some may be 0.
Units random_units(std::size_t count, std::int64_t total, Stream& stream) {
    Units units(count, 0);
    for (; total > 0; --total) ++units[stream.below(count)];
    return units;
}

}  // namespace

TEST(ShortestPaths, MatchATransportationExample) {
    // Supplies 3 and 2, demands 2, 2, 1. The optimum sends 2 + 1 from row 0 and 1 + 1 from row 1.
    Matrix<double> c(2, 3);
    const double values[] = {1, 4, 6, 3, 4, 2};
    std::copy(std::begin(values), std::end(values), c.values().begin());
    const Cost cost(c.view());
    const IntegerCost integer(cost);
    Candidates candidates(cost, integer, Units(3, 0), 1);
    PartialPlan plan(candidates, Units{3, 2}, Units{2, 2, 1}, Units(3, 0));
    plan.make_tight();

    ASSERT_TRUE(ShortestPaths(plan).solve(1000));

    double value = 0;
    for (const Flow& flow : plan.flows()) value += static_cast<double>(flow.units) * c(flow.i, flow.j);
    EXPECT_EQ(value, 2 * 1 + 4 + 4 + 2);
    EXPECT_EQ(plan.supply, Units(2, 0));
    EXPECT_EQ(plan.demand, Units(3, 0));
}

TEST(ShortestPaths, FindAPlanThatTheirDualsProveOptimal) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Stream stream(seed, Purpose::test);
        const std::size_t n = 1 + stream.below(60);
        const std::size_t m = 1 + stream.below(60);
        const Matrix<double> c = random_costs(n, m, seed % 2 == 0 ? 6 : 100000, seed);
        const Units supply = random_units(n, 200, stream);
        const Units demand = random_units(m, 200, stream);
        const Cost cost(c.view());
        const IntegerCost integer(cost);
        // Bad duals and short lists, so that paths must be searched for everything.
        Candidates candidates(cost, integer, Units(m, 0), 2);
        PartialPlan plan(candidates, supply, demand, Units(m, 0));
        plan.make_tight();

        ASSERT_TRUE(ShortestPaths(plan).solve(10000000));

        Units row(n);
        Units col(m);
        double value = 0;
        double dual = 0;
        for (const Flow& flow : plan.flows()) {
            EXPECT_GT(flow.units, 0);
            row[flow.i] += flow.units;
            col[flow.j] += flow.units;
            value += static_cast<double>(flow.units) * c(flow.i, flow.j);
            EXPECT_EQ(integer(flow.i, flow.j), plan.f[flow.i] + plan.g[flow.j]);
        }
        EXPECT_EQ(row, supply);
        EXPECT_EQ(col, demand);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < m; ++j) EXPECT_LE(plan.f[i] + plan.g[j], integer(i, j));
        }
        for (std::size_t i = 0; i < n; ++i)
            dual += integer.to_matrix_units(plan.f[i]) * static_cast<double>(supply[i]);
        for (std::size_t j = 0; j < m; ++j)
            dual += integer.to_matrix_units(plan.g[j]) * static_cast<double>(demand[j]);
        EXPECT_NEAR(value, dual * cost.unit() + 200 * cost.offset(), 1e-8 * (1 + value)) << seed;
    }
}

TEST(ShortestPaths, StopWhenTheEffortIsUsedUp) {
    const Matrix<double> c = random_costs(40, 40, 5, 1);
    const Cost cost(c.view());
    const IntegerCost integer(cost);
    Candidates candidates(cost, integer, Units(40, 0), 2);
    PartialPlan plan(candidates, Units(40, 1), Units(40, 1), Units(40, 0));
    plan.make_tight();

    EXPECT_FALSE(ShortestPaths(plan).solve(20));

    for (std::size_t i = 0; i < 40; ++i) {
        for (std::size_t j = 0; j < 40; ++j) EXPECT_LE(plan.f[i] + plan.g[j], integer(i, j));
    }
}
