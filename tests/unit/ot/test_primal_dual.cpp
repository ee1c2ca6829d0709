// SPDX-License-Identifier: MIT
#include "ot/exact/primal_dual.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/matrix.hpp"
#include "ot/exact/candidates.hpp"
#include "ot/exact/network_simplex.hpp"
#include "ot/exact/refined_duals.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::Arc;
using popflow::ot::ArcList;
using popflow::ot::Cost;
using popflow::ot::Flow;
using popflow::ot::IntegerCost;
using popflow::ot::NetworkSimplex;
using popflow::ot::PrimalDual;

namespace {

using Units = std::vector<std::int64_t>;

// A problem with random integer costs, on all arcs.
struct SparseProblem {
    SparseProblem(std::size_t n, std::size_t m, std::uint64_t distinct, std::int64_t total,
                  std::uint64_t seed)
        : c(n, m), supply(n, 0), demand(m, 0) {
        Stream stream(seed, Purpose::test);
        for (double& v : c.values()) v = static_cast<double>(stream.below(distinct));
        for (std::int64_t unit = 0; unit < total; ++unit) {
            ++supply[stream.below(n)];
            ++demand[stream.below(m)];
        }
    }
    ArcList arcs() const {
        const Cost cost(c.view());
        ArcList list;
        list.first.assign(c.rows() + 1, 0);
        std::vector<Arc> all;
        for (std::uint32_t i = 0; i < c.rows(); ++i) {
            for (std::uint32_t j = 0; j < c.cols(); ++j) all.push_back({i, j});
        }
        add_arcs(IntegerCost(cost), c.rows(), all, list);
        return list;
    }

    Matrix<double> c;
    Units supply;
    Units demand;
};

double value_of(const SparseProblem& problem, const std::vector<Flow>& plan) {
    double value = 0;
    for (const Flow& flow : plan) value += static_cast<double>(flow.units) * problem.c(flow.i, flow.j);
    return value;
}

// Checks that the duals are feasible and that mass is on tight arcs only.
void expect_tight(const ArcList& arcs, const PrimalDual& solver) {
    const std::vector<Flow> plan = solver.plan();
    for (std::size_t i = 0; i < solver.f().size(); ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::int64_t slack = arcs.cost[e] - solver.f()[i] - solver.g()[arcs.col[e]];
            const bool has_mass = std::ranges::any_of(
                plan, [&](const Flow& flow) { return flow.i == i && flow.j == arcs.col[e]; });
            EXPECT_GE(slack, 0);
            EXPECT_TRUE(!has_mass || slack == 0);
        }
    }
}

}  // namespace

TEST(PrimalDual, SolvesATransportationExample) {
    // Supplies 3 and 2, demands 2, 2, 1. The optimum sends 2 + 1 from row 0 and 1 + 1 from row 1.
    SparseProblem problem(2, 3, 1, 0, 0);
    const double values[] = {1, 4, 6, 3, 4, 2};
    std::copy(std::begin(values), std::end(values), problem.c.values().begin());
    PrimalDual solver(Units{3, 2}, Units{2, 2, 1}, Units(3, 0));

    ASSERT_TRUE(solver.solve(problem.arcs()));

    EXPECT_EQ(value_of(problem, solver.plan()), 2 * 1 + 4 + 4 + 2);
}

TEST(PrimalDual, FindsAPlanThatItsDualsProveOptimal) {
    std::size_t complete = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Stream stream(seed, Purpose::test, 1);
        const SparseProblem problem(1 + stream.below(60), 1 + stream.below(60), seed % 2 == 0 ? 6 : 100000,
                                    200, seed);
        const ArcList arcs = problem.arcs();
        PrimalDual solver(problem.supply, problem.demand, Units(problem.demand.size(), 0));

        const bool is_complete = solver.solve(arcs);

        expect_tight(arcs, solver);
        complete += is_complete ? 1 : 0;
        Units rows(problem.supply.size(), 0);
        Units cols(problem.demand.size(), 0);
        for (const Flow& flow : solver.plan()) {
            EXPECT_GT(flow.units, 0);
            rows[flow.i] += flow.units;
            cols[flow.j] += flow.units;
        }
        for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_LE(rows[i], problem.supply[i]);
        for (std::size_t j = 0; j < cols.size(); ++j) EXPECT_LE(cols[j], problem.demand[j]);
        EXPECT_EQ(is_complete, rows == problem.supply && cols == problem.demand) << seed;
    }
    EXPECT_GT(complete, 30U);
}

TEST(PrimalDual, StartsTheNetworkSimplex) {
    // Many units and duals far from the optimum, so that the phases get slow.
    const SparseProblem problem(80, 60, 1000000, 4000, 3);
    const Cost cost(problem.c.view());
    const IntegerCost integer(cost);
    const ArcList arcs = problem.arcs();
    Units demand = problem.demand;
    ASSERT_GT(std::ranges::min(demand), 0);
    PrimalDual phases(problem.supply, demand, Units(60, 0));
    phases.solve(arcs);
    NetworkSimplex from_plan(integer, problem.supply, demand, arcs, phases.f(), phases.g(), phases.plan());
    NetworkSimplex from_nothing(integer, problem.supply, demand, arcs, Units(80, 0), Units(60, 0), {});

    from_plan.solve(arcs);
    from_nothing.solve(arcs);

    EXPECT_EQ(value_of(problem, from_plan.plan()), value_of(problem, from_nothing.plan()));
}

TEST(PrimalDual, ContinuesWithFurtherArcs) {
    const SparseProblem problem(40, 50, 100000, 300, 5);
    const Cost cost(problem.c.view());
    const IntegerCost integer(cost);
    ArcList arcs;
    arcs.first.assign(41, 0);
    add_arcs(integer, 40, popflow::ot::feasible_arcs(problem.supply, problem.demand), arcs);
    PrimalDual solver(problem.supply, problem.demand, Units(50, 0));
    ASSERT_TRUE(solver.solve(arcs));
    const double first = value_of(problem, solver.plan());

    const ArcList all = problem.arcs();
    const bool is_complete = solver.solve(all);

    expect_tight(all, solver);
    EXPECT_TRUE(!is_complete || value_of(problem, solver.plan()) < first);
}

TEST(PrimalDual, RefusesArcsThatCannotCarryAllMass) {
    ArcList arcs{.first = {0, 1, 2}, .col = {0, 0}, .cost = {1, 2}};
    PrimalDual solver(Units{1, 1}, Units{1, 1}, Units(2, 0));
    EXPECT_THROW(solver.solve(arcs), popflow::core::NumericalError);
}

TEST(RefinedDuals, AreCloserToTheOptimum) {
    const SparseProblem problem(200, 150, 1000000, 20000, 7);
    const Cost cost(problem.c.view());
    const IntegerCost integer(cost);
    const ArcList arcs = problem.arcs();
    NetworkSimplex solver(integer, problem.supply, problem.demand, arcs, Units(200, 0), Units(150, 0), {});
    solver.solve(arcs);
    const double optimum = value_of(problem, solver.plan());
    // Dual value of column duals with the best row duals.
    const auto dual = [&](const Units& g) {
        double sum = 0;
        for (std::size_t i = 0; i < 200; ++i) {
            std::int64_t least = std::numeric_limits<std::int64_t>::max();
            for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e)
                least = std::min(least, arcs.cost[e] - g[arcs.col[e]]);
            sum += integer.to_matrix_units(least) * static_cast<double>(problem.supply[i]);
        }
        for (std::size_t j = 0; j < 150; ++j)
            sum += integer.to_matrix_units(g[j]) * static_cast<double>(problem.demand[j]);
        return sum * cost.unit() + 20000 * cost.offset();
    };
    const Units zeros(150, 0);

    const Units refined = popflow::ot::refined_duals(arcs, problem.supply, problem.demand, zeros);

    EXPECT_LE(dual(refined), optimum * (1 + 1e-9));
    EXPECT_LT(optimum - dual(refined), 0.25 * (optimum - dual(zeros)));
}
