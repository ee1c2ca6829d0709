// SPDX-License-Identifier: MIT
#include "ot/exact/network_simplex.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"
#include "linalg/matrix.hpp"
#include "ot/exact/assignment.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::Arc;
using popflow::ot::ArcList;
using popflow::ot::Cost;
using popflow::ot::IntegerCost;
using popflow::ot::NetworkSimplex;

namespace {

ArcList all_arcs(const IntegerCost& cost, std::size_t n, std::size_t m) {
    std::vector<Arc> every;
    for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t j = 0; j < m; ++j) every.push_back({i, j});
    }
    ArcList arcs;
    add_arcs(cost, n, every, arcs);
    return arcs;
}

Matrix<double> random_costs(std::size_t n, std::size_t m, std::uint64_t distinct, std::uint64_t seed) {
    Stream stream(seed, Purpose::test);
    Matrix<double> c(n, m);
    for (double& v : c.values()) v = static_cast<double>(stream.below(distinct));
    return c;
}

using Units = std::vector<std::int64_t>;

}  // namespace

TEST(NetworkSimplex, MatchesATransportationExample) {
    // Supplies 3 and 2, demands 2, 2, 1. The optimum sends 2 + 1 from row 0 and 1 + 1 from row 1.
    Matrix<double> c(2, 3);
    const double values[] = {1, 4, 6, 3, 4, 2};
    std::copy(std::begin(values), std::end(values), c.values().begin());
    const Cost cost(c.view());
    const IntegerCost integer(cost);
    const ArcList arcs = all_arcs(integer, 2, 3);
    NetworkSimplex solver(integer, Units{3, 2}, Units{2, 2, 1}, arcs, Units(2, 0), Units(3, 0), {});

    solver.solve(arcs);

    double value = 0;
    Units row(2);
    Units col(3);
    for (const auto& flow : solver.plan()) {
        value += static_cast<double>(flow.units) * c(flow.i, flow.j);
        row[flow.i] += flow.units;
        col[flow.j] += flow.units;
    }
    EXPECT_EQ(row, (Units{3, 2}));
    EXPECT_EQ(col, (Units{2, 2, 1}));
    EXPECT_EQ(value, 2 * 1 + 4 + 4 + 2);
}

TEST(NetworkSimplex, EqualsTheAssignmentIfCostsTie) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Matrix<double> c = random_costs(30, 30, 5, seed);
        const Cost cost(c.view());
        const IntegerCost integer(cost);
        const ArcList arcs = all_arcs(integer, 30, 30);
        NetworkSimplex simplex(integer, Units(30, 1), Units(30, 1), arcs, Units(30, 0), Units(30, 0), {});
        popflow::ot::Assignment assignment(Units(30, 0));

        simplex.solve(arcs);
        assignment.solve(arcs);

        const auto value = [&](const auto& plan) {
            double sum = 0;
            for (const auto& flow : plan) sum += static_cast<double>(flow.units) * c(flow.i, flow.j);
            return sum;
        };
        EXPECT_EQ(simplex.plan().size(), 30U);
        EXPECT_EQ(value(simplex.plan()), value(assignment.plan())) << seed;
    }
}

TEST(NetworkSimplex, DualsProveThatThePlanIsOptimal) {
    const Matrix<double> c = random_costs(40, 25, 1000, 1);
    const Cost cost(c.view());
    const IntegerCost integer(cost);
    const ArcList arcs = all_arcs(integer, 40, 25);
    NetworkSimplex solver(integer, Units(40, 5), Units(25, 8), arcs, Units(40, 0), Units(25, 0), {});

    solver.solve(arcs);

    for (std::size_t i = 0; i < 40; ++i) {
        for (std::size_t j = 0; j < 25; ++j) EXPECT_GE(integer(i, j), solver.f()[i] + solver.g()[j]);
    }
    for (const auto& flow : solver.plan()) {
        EXPECT_GT(flow.units, 0);
        EXPECT_EQ(integer(flow.i, flow.j), solver.f()[flow.i] + solver.g()[flow.j]);
    }
}
