// SPDX-License-Identifier: MIT
#include "ot/exact.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "support/golden.hpp"
#include "support/populations.hpp"

using popflow::core::NumericalError;
using popflow::core::Purpose;
using popflow::core::ShapeMismatch;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::solve_exact;
using popflow::ot::TransportPlan;
using popflow::support::GoldenFile;
using popflow::support::normal_population;
using popflow::support::rows;

namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

double user_cost(const Cost& cost, std::size_t i, std::size_t j) {
    return cost.offset() + cost.unit() * cost.exact(i, j);
}

// Checks in double that the plan is optimal: it has the marginals, its arcs are tight, and the duals are
// feasible on every arc.
void expect_optimal(const Cost& cost, const TransportPlan& t, std::vector<double> a = {},
                    std::vector<double> b = {}) {
    const std::size_t n = cost.rows();
    const std::size_t m = cost.cols();
    if (a.empty()) a.assign(n, 1.0 / static_cast<double>(n));
    if (b.empty()) b.assign(m, 1.0 / static_cast<double>(m));
    const double total = std::accumulate(a.begin(), a.end(), 0.0);
    const double scale = cost.unit() * std::max(cost.largest(), 1e-300) + std::fabs(cost.offset());
    const double tolerance = 1e-11 * scale;
    std::vector<double> row(n);
    std::vector<double> col(m);
    double value = 0;
    for (const auto& e : t.plan) {
        EXPECT_GT(e.mass, 0);
        row.at(e.i) += e.mass;
        col.at(e.j) += e.mass;
        value += e.mass * user_cost(cost, e.i, e.j);
        EXPECT_NEAR(t.duals.f[e.i] + t.duals.g[e.j], user_cost(cost, e.i, e.j), tolerance);
    }
    // Weights are multiples of 2^-48 of the total. The heaviest absorbs the rounding of all others.
    const double rounding = static_cast<double>(n + m) * std::ldexp(total, -48 + 1);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(row[i], a[i], rounding);
    for (std::size_t j = 0; j < m; ++j) EXPECT_NEAR(col[j], b[j], rounding);
    EXPECT_NEAR(t.value, value, 1e-12 * scale * total);
    double violation = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            violation = std::max(violation, t.duals.f[i] + t.duals.g[j] - user_cost(cost, i, j));
        }
    }
    EXPECT_LE(violation, tolerance);
    EXPECT_LE(t.violation, tolerance);
    EXPECT_LE(t.gap, tolerance * total);
}

TransportPlan solve_and_check(CostKind kind, const Matrix<float>& x, const Matrix<float>& y) {
    const Cost cost(kind, x.view(), y.view());
    TransportPlan t = solve_exact(cost);
    expect_optimal(cost, t);
    return t;
}

}  // namespace

TEST(SolveExact, MatchesATwoByTwoExample) {
    const auto x = rows({{0}, {1}});
    const auto y = rows({{1.5F}, {3}});

    const TransportPlan t = solve_and_check(CostKind::squared_euclidean, x, y);

    ASSERT_EQ(t.plan.size(), 2U);
    EXPECT_EQ(t.plan[0].j, 0U);
    EXPECT_EQ(t.plan[1].j, 1U);
    EXPECT_EQ(t.value, (1.5 * 1.5 + 2 * 2) / 2);
}

TEST(SolveExact, MatchesAWeightedExample) {
    Matrix<double> c(2, 3);
    const double values[] = {1, 2, 5, 4, 1, 1};
    std::copy(std::begin(values), std::end(values), c.values().begin());
    const std::vector<double> a{0.5, 0.5};
    const std::vector<double> b{0.25, 0.5, 0.25};
    const Cost cost(c.view());

    const TransportPlan t = solve_exact(cost, a, b);

    expect_optimal(cost, t, a, b);
    EXPECT_NEAR(t.value, 0.25 * 1 + 0.25 * 2 + 0.25 * 1 + 0.25 * 1, 4 * eps);
}

TEST(SolveExact, TransportsOneCellToMany) {
    const auto x = rows({{0, 0}});
    const auto y = rows({{3, 4}, {6, 8}, {0, 0}});

    EXPECT_NEAR(solve_and_check(CostKind::euclidean, x, y).value, 5, 8 * eps);
    EXPECT_NEAR(solve_and_check(CostKind::euclidean, y, x).value, 5, 8 * eps);
    EXPECT_EQ(solve_and_check(CostKind::euclidean, x, x).value, 0);
}

TEST(SolveExact, HandlesIdenticalCells) {
    Matrix<float> x(100, 5);
    Matrix<float> y(70, 5);
    x.fill(3.7F);
    y.fill(3.7F);

    EXPECT_EQ(solve_and_check(CostKind::euclidean, x, y).value, 0);

    y.fill(4.7F);
    EXPECT_NEAR(solve_and_check(CostKind::squared_euclidean, x, y).value, 5 * std::pow(4.7F - 3.7F, 2), 1e-6);
}

TEST(SolveExact, HandlesDuplicatesOnAGrid) {
    Stream stream(5, Purpose::test);
    Matrix<float> x(400, 2);
    Matrix<float> y(400, 2);
    for (float& v : x.values()) v = static_cast<float>(stream.below(4));
    for (float& v : y.values()) v = static_cast<float>(stream.below(5));

    solve_and_check(CostKind::euclidean, x, y);
    solve_and_check(CostKind::squared_euclidean, x, y);
}

TEST(SolveExact, DoesNotDependOnALargeOffset) {
    Matrix<float> x = normal_population(60, 3, 1);
    Matrix<float> y = normal_population(60, 3, 2);
    for (auto* z : {&x, &y}) {
        for (float& v : z->values()) v = std::round(v * 8) / 8;  // so that adding 2^19 is exact
    }
    const double here = solve_and_check(CostKind::squared_euclidean, x, y).value;
    for (auto* z : {&x, &y}) {
        for (float& v : z->values()) v += 524288;
    }

    EXPECT_EQ(solve_and_check(CostKind::squared_euclidean, x, y).value, here);
}

TEST(SolveExact, ScalesWithTheCellsAtAnyMagnitude) {
    const Matrix<float> x = normal_population(50, 4, 1);
    const Matrix<float> y = normal_population(40, 4, 2);
    const double one = solve_and_check(CostKind::squared_euclidean, x, y).value;
    for (const int power : {-100, -40, 60, 110}) {
        Matrix<float> xs = x;
        Matrix<float> ys = y;
        for (auto* z : {&xs, &ys}) {
            for (float& v : z->values()) v = std::ldexp(v, power);
        }
        const Cost cost(CostKind::squared_euclidean, xs.view(), ys.view());

        EXPECT_DOUBLE_EQ(solve_exact(cost).value, std::ldexp(one, 2 * power)) << power;
    }
}

TEST(SolveExact, EqualsTheSortedPairingOnTheLine) {
    Matrix<float> x = normal_population(300, 1, 7);
    Matrix<float> y = normal_population(300, 1, 8, 0.5F, 2);
    const double value = solve_and_check(CostKind::squared_euclidean, x, y).value;
    std::sort(x.values().begin(), x.values().end());
    std::sort(y.values().begin(), y.values().end());
    double sorted = 0;
    for (std::size_t i = 0; i < 300; ++i) sorted += std::pow(static_cast<double>(x(i, 0)) - y(i, 0), 2) / 300;

    EXPECT_NEAR(value, sorted, 1e-12 * sorted);
}

TEST(SolveExact, FindsAHiddenPermutation) {
    const Matrix<float> x = normal_population(500, 6, 3);
    Stream stream(4, Purpose::test);
    const auto order = stream.permutation(500);
    Matrix<float> y(500, 6);
    for (std::size_t i = 0; i < 500; ++i) {
        for (std::size_t k = 0; k < 6; ++k) y(order[i], k) = x(i, k);
    }

    const TransportPlan t = solve_and_check(CostKind::squared_euclidean, x, y);

    ASSERT_EQ(t.plan.size(), 500U);
    for (const auto& e : t.plan) EXPECT_EQ(e.j, order[e.i]);
    EXPECT_EQ(t.value, 0);
}

TEST(SolveExact, HandlesUnequalNumbersOfCells) {
    for (const std::size_t d : {1U, 2U, 20U}) {
        const Matrix<float> x = normal_population(350, d, 1);
        const Matrix<float> y = normal_population(200, d, 2, 0.4F, 1.3F);
        solve_and_check(CostKind::euclidean, x, y);
        solve_and_check(CostKind::squared_euclidean, y, x);
    }
}

TEST(SolveExact, HandlesDistantClustersOfDifferentWeight) {
    Matrix<float> x = normal_population(300, 3, 1);
    Matrix<float> y = normal_population(200, 3, 2);
    for (std::size_t i = 0; i < 150; ++i) x(i, 0) += 100;
    for (std::size_t j = 0; j < 30; ++j) y(j, 0) += 100;
    x(299, 1) = 1e5F;  // and an outlier

    solve_and_check(CostKind::euclidean, x, y);
    solve_and_check(CostKind::squared_euclidean, x, y);
}

TEST(SolveExact, SolvesCosineCosts) {
    const auto x = rows({{1, 0}, {0, 2}});
    const auto y = rows({{0, 5}, {-3, 0}});

    // Both pairings have the same sum: (0,2)-(0,5) costs 0 and (1,0)-(-3,0) costs 2, or both cost 1.
    EXPECT_NEAR(solve_and_check(CostKind::cosine, x, y).value, 1, 4 * eps);
    solve_and_check(CostKind::cosine, normal_population(90, 5, 1, 1), normal_population(80, 5, 2, 1));
}

TEST(SolveExact, SquaringInPlaceGivesTheSquaredProblem) {
    const Matrix<float> x = normal_population(150, 9, 1);
    const Matrix<float> y = normal_population(120, 9, 2);
    Cost cost(CostKind::euclidean, x.view(), y.view());
    const TransportPlan first = solve_exact(cost);

    cost.square();
    const auto start = popflow::ot::squared_cost_duals(first.duals, first.value);
    const TransportPlan second = solve_exact(cost, {}, {}, {.start = &start});

    expect_optimal(cost, second);
    EXPECT_NEAR(second.value, solve_and_check(CostKind::squared_euclidean, x, y).value, 1e-12 * second.value);
}

TEST(SolveExact, RepairsAnInfeasibleStartOrThrows) {
    const Matrix<float> x = normal_population(200, 2, 1);
    const Matrix<float> y = normal_population(200, 2, 2);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    popflow::ot::Potentials start{std::vector<double>(200), std::vector<double>(200)};
    for (std::size_t j = 0; j < 200; ++j) start.g[j] = j % 2 == 0 ? 50 : -50;

    const TransportPlan t = solve_exact(cost, {}, {}, {.start = &start});

    expect_optimal(cost, t);
    EXPECT_THROW(solve_exact(cost, {}, {}, {.start = &start, .rounds = 0}), NumericalError);
}

TEST(SolveExact, SimplexGivesTheSameValue) {
    Stream stream(5, Purpose::test);
    for (const std::size_t d : {1U, 2U, 6U}) {
        Matrix<float> x = normal_population(180, d, 1);
        Matrix<float> y = normal_population(180, d, 2, 0.3F);
        if (d == 2) {  // ties
            for (float& v : x.values()) v = std::round(3 * v);
            for (float& v : y.values()) v = std::round(3 * v);
        }
        for (const std::size_t m : {180U, 131U}) {
            const Cost cost(CostKind::squared_euclidean, x.view(), y.view().row_block(0, m));
            std::vector<double> a(180, 1.0 / 180);
            if (d == 6) {
                double total = 0;
                for (double& w : a) total += w = stream.uniform();
                for (double& w : a) w /= total;
            }
            const TransportPlan t = solve_exact(cost, a, {});

            const TransportPlan simplex =
                solve_exact(cost, a, {}, {.method = popflow::ot::ExactMethod::simplex});

            expect_optimal(cost, simplex, a, {});
            EXPECT_GT(simplex.rounds, 0U);
            EXPECT_NEAR(t.value, simplex.value, 1e-12 * simplex.value) << d << " markers, " << m;
        }
    }
}

TEST(SolveExact, IsOptimalOnTheLineWithWeightsAndTies) {
    Stream stream(7, Purpose::test);
    for (const std::size_t m : {1U, 50U, 120U}) {
        Matrix<float> x(120, 1);
        Matrix<float> y(m, 1);
        for (float& v : x.values()) v = static_cast<float>(stream.below(30)) + 1e4F;
        for (float& v : y.values()) v = static_cast<float>(stream.below(20)) + 1e4F;
        std::vector<double> a(120);
        double total = 0;
        for (double& w : a) total += w = stream.uniform() < 0.2 ? 0 : stream.uniform();
        for (double& w : a) w /= total;
        for (const CostKind kind : {CostKind::euclidean, CostKind::squared_euclidean}) {
            const Cost cost(kind, x.view(), y.view());

            expect_optimal(cost, solve_exact(cost, a, {}), a, {});
            expect_optimal(cost, solve_exact(cost));
        }
    }
}

TEST(SolveExact, HandlesZeroWeights) {
    const Matrix<float> x = normal_population(40, 3, 1);
    const Matrix<float> y = normal_population(30, 3, 2);
    std::vector<double> a(40, 1);
    std::vector<double> b(30, 1.5);
    for (std::size_t i = 0; i < 10; ++i) a[i] = 0;
    for (std::size_t j = 0; j < 10; ++j) b[j * 3] = 0;
    const Cost cost(CostKind::euclidean, x.view(), y.view());

    expect_optimal(cost, solve_exact(cost, a, b), a, b);
}

TEST(SolveExact, IsBitwiseEqualForAnyNumberOfThreads) {
    // Large enough that the duals start from a sample of cells. One size is an assignment, the other a flow.
    const Matrix<float> x = normal_population(2100, 12, 1);
    const Matrix<float> y = normal_population(2100, 12, 2, 0.2F);
    const int before = omp_get_max_threads();
    for (const std::size_t m : {2100U, 2050U}) {
        std::vector<TransportPlan> found;
        for (const int threads : {1, 2, 3}) {
            omp_set_num_threads(threads);
            found.push_back(solve_exact(Cost(CostKind::euclidean, x.view(), y.view().row_block(0, m))));
        }
        omp_set_num_threads(before);
        for (const TransportPlan& t : found) {
            EXPECT_EQ(t.value, found[0].value);
            EXPECT_EQ(t.duals.f, found[0].duals.f);
            EXPECT_EQ(t.duals.g, found[0].duals.g);
            EXPECT_EQ(t.arcs, found[0].arcs);
        }
    }
}

TEST(SolveExact, IsOptimalForManyWeightedCells) {
    const Matrix<float> x = normal_population(2200, 10, 1);
    const Matrix<float> y = normal_population(2100, 10, 2, 0.5F);
    Stream stream(3, Purpose::test);
    std::vector<double> a(2200);
    std::vector<double> b(2100);
    for (double& w : a) w = stream.uniform();
    for (double& w : b) w = stream.uniform() < 0.3 ? 0 : stream.uniform();
    const double scale = std::accumulate(a.begin(), a.end(), 0.0) / std::accumulate(b.begin(), b.end(), 0.0);
    for (double& w : b) w *= scale;
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());

    expect_optimal(cost, solve_exact(cost, a, b), a, b);
}

TEST(SolveExact, AgreesWithPot) {
    GoldenFile file("metrics/plans.bin");
    std::size_t cases = 0;
    for (; !file.at_end(); ++cases) {
        const auto shape = file.read<std::int32_t>(3);
        const auto n = static_cast<std::size_t>(shape[0]);
        const auto m = static_cast<std::size_t>(shape[1]);
        auto a = file.read<double>(n);
        auto b = file.read<double>(m);
        const auto values = file.read<double>(n * m);
        const double value = file.read<double>(1)[0];
        Matrix<double> c(n, m);
        std::copy(values.begin(), values.end(), c.values().begin());
        const Cost cost(c.view());

        const TransportPlan t = shape[2] != 0 ? solve_exact(cost) : solve_exact(cost, a, b);

        expect_optimal(cost, t, a, b);
        // POT stops when reduced costs are within its own epsilon. Both values are sums of n m products.
        EXPECT_NEAR(t.value, value, 1e-9 * (cost.unit() + std::fabs(cost.offset()))) << "case " << cases;
    }
    EXPECT_EQ(cases, 40U);
}

TEST(SolveExact, RefusesInvalidInput) {
    Matrix<float> x = normal_population(5, 2, 1);
    const Matrix<float> y = normal_population(4, 2, 2);
    const Matrix<float> other = normal_population(4, 3, 2);
    EXPECT_THROW(Cost(CostKind::euclidean, x.view(), other.view()), ShapeMismatch);
    EXPECT_THROW(Cost(CostKind::euclidean, x.view(), Matrix<float>(0, 2).view()), ShapeMismatch);
    EXPECT_THROW(Cost(CostKind::euclidean, Matrix<float>(0, 2).view(), y.view()), ShapeMismatch);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const std::vector<double> two(5, 2);
    const std::vector<double> negative{1, 1, 1, 1, -1};
    const std::vector<double> short_one(4, 1);
    EXPECT_THROW(solve_exact(cost, two, {}), NumericalError);
    EXPECT_THROW(solve_exact(cost, negative, {}), NumericalError);
    EXPECT_THROW(solve_exact(cost, short_one, {}), ShapeMismatch);

    x(3, 1) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(Cost(CostKind::euclidean, x.view(), y.view()), NumericalError);
    x(3, 1) = std::numeric_limits<float>::infinity();
    EXPECT_THROW(Cost(CostKind::euclidean, x.view(), y.view()), NumericalError);
    Matrix<double> huge(1, 2);
    huge(0, 0) = -1e308;
    huge(0, 1) = 1e308;
    EXPECT_THROW(Cost(huge.view()), NumericalError);
    x(3, 0) = 0;
    x(3, 1) = 0;
    EXPECT_THROW(Cost(CostKind::cosine, x.view(), y.view()), NumericalError);
}

TEST(SolveExact, StopsOnceItIsCancelled) {
    const Matrix<float> x = normal_population(40, 3, 1);
    const Matrix<float> y = normal_population(40, 3, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    std::vector<double> weights(40);
    std::iota(weights.begin(), weights.end(), 1);
    const double value = solve_exact(cost).value;
    std::atomic<bool> flag = true;
    {
        const popflow::core::CancellationScope scope(&flag);
        EXPECT_THROW(solve_exact(cost), popflow::core::Cancelled);
        EXPECT_THROW(solve_exact(cost, weights, weights), popflow::core::Cancelled);
        flag = false;
        EXPECT_EQ(solve_exact(cost).value, value);
    }
    flag = true;
    EXPECT_EQ(solve_exact(cost).value, value);
}
