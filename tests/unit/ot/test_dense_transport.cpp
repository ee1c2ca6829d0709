// SPDX-License-Identifier: MIT
#include "ot/dense_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "support/golden.hpp"
#include "support/random_matrix.hpp"

using popflow::core::NumericalError;
using popflow::core::Purpose;
using popflow::core::ShapeMismatch;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::DenseTransport;
using popflow::ot::PlanEntry;
using popflow::ot::Potentials;
using popflow::ot::solve_exact;
using popflow::ot::TransportPlan;
using popflow::support::GoldenFile;
using popflow::support::random_matrix;

namespace {

using Weights = std::vector<double>;

constexpr double eps = std::numeric_limits<double>::epsilon();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Matrix<double> matrix(std::initializer_list<std::initializer_list<double>> values) {
    Matrix<double> c(values.size(), values.begin()->size());
    std::size_t l = 0;
    for (const auto& row : values) {
        for (double v : row) c.values()[l++] = v;
    }
    return c;
}

double largest_cost(const Matrix<double>& c) {
    double largest = 0;
    for (double v : c.values()) largest = std::max(largest, std::fabs(v));
    return largest;
}

// Checks in double that the plan is optimal: it has the marginals, its arcs are tight, and the duals are
// feasible on every arc.
void expect_optimal(const Matrix<double>& c, const TransportPlan& t, Weights a = {}, Weights b = {}) {
    const std::size_t n = c.rows();
    const std::size_t m = c.cols();
    if (a.empty()) a.assign(n, 1.0 / static_cast<double>(n));
    if (b.empty()) b.assign(m, 1.0 / static_cast<double>(m));
    const double total = std::accumulate(a.begin(), a.end(), 0.0);
    const double scale = total / std::accumulate(b.begin(), b.end(), 0.0);
    Weights row(n);
    Weights col(m);
    double value = 0;
    double used = 0;
    for (const PlanEntry& e : t.plan) {
        EXPECT_GT(e.mass, 0);
        row.at(e.i) += e.mass;
        col.at(e.j) += e.mass;
        value += e.mass * c(e.i, e.j);
        used = std::max(used, std::fabs(c(e.i, e.j)));
    }
    EXPECT_LE(t.plan.size(), n + m - 1);
    EXPECT_TRUE(std::ranges::is_sorted(
        t.plan, [](const PlanEntry& x, const PlanEntry& y) { return x.i != y.i ? x.i < y.i : x.j < y.j; }));
    // The heaviest atom absorbs the rounding of all others.
    const double rounding = static_cast<double>(n + m) * eps * total;
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(row[i], a[i], rounding);
    for (std::size_t j = 0; j < m; ++j) EXPECT_NEAR(col[j], b[j] * scale, rounding);
    EXPECT_NEAR(t.value, value, 1e-13 * used * total);
    const double tolerance = 1e-12 * largest_cost(c);
    double violation = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j)
            violation = std::max(violation, t.duals.f.at(i) + t.duals.g.at(j) - c(i, j));
    }
    EXPECT_EQ(t.violation, violation);
    EXPECT_LE(t.violation, tolerance);
    EXPECT_LE(t.gap, tolerance * total);
    for (const PlanEntry& e : t.plan) EXPECT_NEAR(t.duals.f[e.i] + t.duals.g[e.j], c(e.i, e.j), tolerance);
    // Weak duality: no plan can be cheaper than the dual value.
    double dual = 0;
    for (std::size_t i = 0; i < n; ++i) dual += a[i] * t.duals.f[i];
    for (std::size_t j = 0; j < m; ++j) dual += b[j] * scale * t.duals.g[j];
    EXPECT_NEAR(t.value, dual, 1e-11 * largest_cost(c) * total);
}

Weights random_weights(std::size_t n, Stream& stream) {
    Weights w(n);
    for (double& v : w) v = stream.uniform() + 0.01;
    const double total = std::accumulate(w.begin(), w.end(), 0.0);
    for (double& v : w) v /= total;
    return w;
}

// Returns the cost of the best assignment by trying all permutations.
double best_assignment(const Matrix<double>& c) {
    std::vector<std::size_t> order(c.rows());
    std::iota(order.begin(), order.end(), 0U);
    double best = infinity;
    do {
        double sum = 0;
        for (std::size_t i = 0; i < order.size(); ++i) sum += c(i, order[i]);
        best = std::min(best, sum);
    } while (std::ranges::next_permutation(order).found);
    return best / static_cast<double>(c.rows());
}

// Returns numbers in [0, 1). tests/golden/transport/generate_dense.py has the same generator.
Weights uniform_numbers(std::size_t count, std::uint64_t seed) {
    std::uint64_t state = seed * 2 + 1;
    Weights values(count);
    for (double& v : values) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        v = static_cast<double>(state >> 11U) / 9007199254740992.0;
    }
    return values;
}

// Problem of a golden file, see generate_dense.py.
struct Problem {
    std::size_t n;
    std::size_t m;
    std::size_t d;
    int kind;
    int weights;
    std::uint64_t seed;
    double scale;
};

Matrix<double> points(const Problem& p, std::size_t count, std::uint64_t seed) {
    Matrix<double> x(count, p.d);
    std::ranges::copy(uniform_numbers(x.size(), seed), x.values().begin());
    if (p.kind != 2) return x;
    for (double& v : x.values()) v -= 0.5;
    for (std::size_t i = 0; i < count; ++i) {
        double square = 0;
        for (std::size_t k = 0; k < p.d; ++k) square += x(i, k) * x(i, k);
        for (std::size_t k = 0; k < p.d; ++k) x(i, k) /= std::sqrt(square);
    }
    return x;
}

Matrix<double> costs(const Problem& p) {
    Matrix<double> c(p.n, p.m);
    if (p.kind > 2) {
        std::ranges::copy(uniform_numbers(c.size(), p.seed), c.values().begin());
        for (double& v : c.values()) v = p.scale * (p.kind == 3 ? std::floor(4 * v) : v - 0.5);
        return c;
    }
    const Matrix<double> x = points(p, p.n, p.seed);
    const Matrix<double> y = points(p, p.m, p.seed + 1);
    for (std::size_t i = 0; i < p.n; ++i) {
        for (std::size_t j = 0; j < p.m; ++j) {
            double difference = 0;
            double sum = 0;
            for (std::size_t k = 0; k < p.d; ++k) {
                difference += (x(i, k) - y(j, k)) * (x(i, k) - y(j, k));
                sum += (x(i, k) + y(j, k)) * (x(i, k) + y(j, k));
            }
            const double distance = p.kind == 0   ? difference
                                    : p.kind == 1 ? std::sqrt(difference)
                                                  : 2 * std::atan2(std::sqrt(difference), std::sqrt(sum));
            c(i, j) = p.scale * distance;
        }
    }
    return c;
}

Weights histogram(std::size_t n, int kind, std::uint64_t seed) {
    Weights w = uniform_numbers(n, seed);
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double u = w[i];
        if (kind == 0) w[i] = 1;
        if (kind == 1) w[i] = u + 0.01;
        if (kind == 2) w[i] = std::pow(10, -12 * u);
        if (kind == 3) w[i] = i % 2 == 0 ? u + 0.01 : 0;
        total += w[i];
    }
    for (double& v : w) v /= total;
    return w;
}

}  // namespace

TEST(DenseTransport, MatchesAWeightedExample) {
    const Matrix<double> c = matrix({{1, 2, 5}, {4, 1, 1}});
    const Weights a{0.5, 0.5};
    const Weights b{0.25, 0.5, 0.25};

    const TransportPlan t = solve_exact(c.view(), a, b);

    expect_optimal(c, t, a, b);
    EXPECT_NEAR(t.value, 0.25 * 1 + 0.25 * 2 + 0.25 * 1 + 0.25 * 1, 2 * eps);
    ASSERT_EQ(t.plan.size(), 4U);
    EXPECT_EQ(t.arcs, 6U);
}

TEST(DenseTransport, AgreesWithPot) {
    GoldenFile file("transport/dense.bin");
    DenseTransport solver;
    std::size_t count = 0;
    for (; !file.at_end(); ++count) {
        const auto shape = file.read<std::int32_t>(6);
        const auto numbers = file.read<double>(2);
        const Problem p{static_cast<std::size_t>(shape[0]),
                        static_cast<std::size_t>(shape[1]),
                        static_cast<std::size_t>(shape[2]),
                        shape[3],
                        shape[4],
                        static_cast<std::uint64_t>(shape[5]),
                        numbers[0]};
        SCOPED_TRACE(testing::Message() << p.n << " x " << p.m << ", costs " << p.kind << ", weights "
                                        << p.weights << ", seed " << p.seed);
        const Matrix<double> c = costs(p);
        const Weights a = histogram(p.n, p.weights, p.seed + 100000);
        const Weights b = histogram(p.m, p.weights, p.seed + 200000);

        const TransportPlan t = solver.solve(c.view(), a, b);

        EXPECT_NEAR(t.value, numbers[1], 1e-9 * std::fabs(numbers[1]));
        expect_optimal(c, t, a, b);
    }
    EXPECT_EQ(count, 182U);
}

TEST(DenseTransport, EqualsTheBestOfAllPermutations) {
    for (std::size_t n = 1; n <= 7; ++n) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            Matrix<double> c = random_matrix<double>(n, n, 100 * n + seed);
            if (seed % 2 == 0) {
                for (double& v : c.values()) v = std::round(2 * v);  // ties
            }
            const double best = best_assignment(c);

            EXPECT_NEAR(solve_exact(c.view()).value, best, 8 * eps * largest_cost(c));
            expect_optimal(c, solve_exact(c.view()));
        }
    }
}

TEST(DenseTransport, EqualsTheAssignmentOfSplitAtoms) {
    // Weights are multiples of 1/7. Seven atoms of equal weight, some at the same place, are the same
    // problem.
    Stream stream(1, Purpose::test);
    for (int repeat = 0; repeat < 20; ++repeat) {
        const std::size_t n = 1 + stream.below(7);
        const std::size_t m = 1 + stream.below(7);
        std::vector<std::size_t> row(7);
        std::vector<std::size_t> col(7);
        Weights a(n);
        Weights b(m);
        for (std::size_t l = 0; l < 7; ++l) {
            row[l] = l < n ? l : stream.below(n);
            col[l] = l < m ? l : stream.below(m);
            a[row[l]] += 1.0 / 7;
            b[col[l]] += 1.0 / 7;
        }
        const Matrix<double> c = random_matrix<double>(n, m, 1000 + static_cast<std::uint64_t>(repeat));
        Matrix<double> split(7, 7);
        for (std::size_t k = 0; k < 7; ++k) {
            for (std::size_t l = 0; l < 7; ++l) split(k, l) = c(row[k], col[l]);
        }

        const TransportPlan t = solve_exact(c.view(), a, b);

        expect_optimal(c, t, a, b);
        EXPECT_NEAR(t.value, best_assignment(split), 16 * eps * largest_cost(c));
    }
}

TEST(DenseTransport, TransportsOneAtomToMany) {
    const Matrix<double> c = matrix({{3, -4, 0}});
    const Weights b{0.25, 0.25, 0.5};

    const TransportPlan t = solve_exact(c.view(), {}, b);

    expect_optimal(c, t, {}, b);
    EXPECT_EQ(t.value, -0.25);
    expect_optimal(matrix({{3}, {-4}, {0}}), solve_exact(matrix({{3}, {-4}, {0}}).view(), b, {}), b, {});
    const TransportPlan single = solve_exact(matrix({{-2.5}}).view());
    ASSERT_EQ(single.plan.size(), 1U);
    EXPECT_EQ(single.value, -2.5);
    EXPECT_EQ(single.gap, 0);
}

TEST(DenseTransport, SolvesEqualCosts) {
    Stream stream(2, Purpose::test);
    for (const double cost : {0.0, 7.5, -3.25}) {
        Matrix<double> c(40, 30);
        c.fill(cost);
        const Weights a = random_weights(40, stream);
        const Weights b = random_weights(30, stream);

        const TransportPlan t = solve_exact(c.view(), a, b);

        expect_optimal(c, t, a, b);
        EXPECT_NEAR(t.value, cost, 100 * eps * std::fabs(cost));
    }
}

TEST(DenseTransport, ScalesWithTheCostsAtAnyMagnitude) {
    const Matrix<double> c = random_matrix<double>(30, 40, 3);
    const double one = solve_exact(c.view()).value;
    for (const int power : {-1060, -1000, -500, -40, 40, 500, 1010}) {
        Matrix<double> scaled = c;
        for (double& v : scaled.values()) v = std::ldexp(v, power);

        const TransportPlan t = solve_exact(scaled.view());

        const double lost = std::ldexp(1.0, -1074);  // distance of subnormal numbers
        EXPECT_NEAR(t.value, std::ldexp(one, power), std::fabs(std::ldexp(one, power)) * 1e-14 + 100 * lost)
            << power;
    }
}

TEST(DenseTransport, IgnoresHugeCostsOfForbiddenArcs) {
    // Forbidden arcs cost 1e15. The others must not lose digits.
    Stream stream(5, Purpose::test);
    for (const std::size_t n : {5U, 40U, 120U}) {
        Matrix<double> allowed(n, n);
        Matrix<double> c(n, n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                allowed(i, j) = stream.uniform();
                c(i, j) = allowed(i, j);
                if (i != j && stream.uniform() < 0.5) {
                    allowed(i, j) = 100;
                    c(i, j) = 1e15;
                }
            }
        }
        const Weights a = random_weights(n, stream);
        const double value = solve_exact(allowed.view(), a, a).value;
        ASSERT_LT(value, 1);

        const TransportPlan t = solve_exact(c.view(), a, a);

        EXPECT_NEAR(t.value, value, 1e-12 * value) << n;
        EXPECT_LE(t.violation, 1e-13);
        EXPECT_LE(t.gap, 1e-13);
    }
}

TEST(DenseTransport, UsesForbiddenArcsIfItMust) {
    // Only a small part of the mass needs the expensive arcs, which a narrowed range of costs would clip.
    Matrix<double> c(3, 3);
    c.fill(1e9);
    for (std::size_t i = 0; i < 3; ++i) c(i, i) = 1e-3 * static_cast<double>(i);
    const Weights a{0.5, 0.3, 0.2};
    const Weights b{0.5, 0.3 + 1e-9, 0.2 - 1e-9};

    const TransportPlan t = solve_exact(c.view(), a, b);

    expect_optimal(c, t, a, b);
    EXPECT_NEAR(t.value, 1 + 0.3e-3 + 0.4e-3, 1e-6);
}

TEST(DenseTransport, KeepsTinyWeights) {
    // Most mass stays for free. The value is that of the tiny weights alone.
    const Matrix<double> c = matrix({{0, 1}, {2, 0}});
    const Weights a{1, 3e-12};
    const Weights b{1 + 2e-12, 1e-12};

    const TransportPlan t = solve_exact(c.view(), a, b);

    EXPECT_NEAR(t.value, 4e-12, 1e-15);
}

TEST(DenseTransport, GivesDualsToAtomsWithoutMass) {
    const Matrix<double> c = random_matrix<double>(12, 9, 6);
    Weights a(12, 1.0 / 8);
    Weights b(9, 1.0 / 4);
    for (const std::size_t i : {0U, 3U, 7U, 11U}) a[i] = 0;
    for (const std::size_t j : {1U, 2U, 4U, 5U, 8U}) b[j] = 0;

    const TransportPlan t = solve_exact(c.view(), a, b);

    expect_optimal(c, t, a, b);
    EXPECT_EQ(t.arcs, 8U * 4U);
    Matrix<double> kept(8, 4);
    std::size_t l = 0;
    for (std::size_t i = 0; i < 12; ++i) {
        for (std::size_t j = 0; j < 9; ++j) {
            if (a[i] > 0 && b[j] > 0) kept.values()[l++] = c(i, j);
        }
    }
    EXPECT_EQ(t.value, solve_exact(kept.view(), Weights(8, 1.0 / 8), Weights(4, 1.0 / 4)).value);
}

TEST(DenseTransport, WarmStartNeverChangesTheValue) {
    Stream stream(8, Purpose::test);
    DenseTransport solver;
    for (const std::size_t n : {1U, 2U, 30U, 90U}) {
        const std::size_t m = n + n / 2;
        const Matrix<double> c = random_matrix<double>(n, m, 70 + n);
        const Weights a = random_weights(n, stream);
        const Weights b = random_weights(m, stream);
        const TransportPlan cold = solver.solve(c.view(), a, b);
        std::vector<Potentials> starts{cold.duals, {cold.duals.f, {}}, {{}, Weights(m)}, {{}, {}}};
        for (const double scale : {1e-300, 1.0, 1e300}) {
            Potentials start{{}, Weights(m)};
            for (double& v : start.g) v = scale * stream.normal();
            starts.push_back(start);
            start.g.clear();
            start.f.assign(n, 0);
            for (double& v : start.f) v = scale * stream.normal();
            starts.push_back(start);
        }
        for (const Potentials& start : starts) {
            const TransportPlan warm = solver.solve(c.view(), a, b, &start);

            expect_optimal(c, warm, a, b);
            EXPECT_NEAR(warm.value, cold.value, 1e-13 * largest_cost(c)) << n;
        }
    }
}

TEST(DenseTransport, RepeatedCallsGiveTheSameBits) {
    Stream stream(9, Purpose::test);
    DenseTransport solver;
    const Matrix<double> c = random_matrix<double>(70, 50, 12);
    const Weights a = random_weights(70, stream);
    const Weights b = random_weights(50, stream);
    const TransportPlan first = solver.solve(c.view(), a, b);
    for (const std::size_t n : {3U, 200U, 10U}) solver.solve(random_matrix<double>(n, 2 * n, n).view());

    for (const TransportPlan& t : {solver.solve(c.view(), a, b), solve_exact(c.view(), a, b)}) {
        EXPECT_EQ(t.value, first.value);
        EXPECT_EQ(t.duals.f, first.duals.f);
        EXPECT_EQ(t.duals.g, first.duals.g);
        EXPECT_EQ(t.gap, first.gap);
        EXPECT_EQ(t.rounds, first.rounds);
        ASSERT_EQ(t.plan.size(), first.plan.size());
        for (std::size_t l = 0; l < t.plan.size(); ++l) {
            EXPECT_EQ(t.plan[l].i, first.plan[l].i);
            EXPECT_EQ(t.plan[l].j, first.plan[l].j);
            EXPECT_EQ(t.plan[l].mass, first.plan[l].mass);
        }
    }
}

TEST(DenseTransport, AcceptsRowsOfALargerMatrix) {
    const Matrix<double> large = random_matrix<double>(20, 30, 13);
    Matrix<double> c(10, 12);
    for (std::size_t i = 0; i < 10; ++i) {
        for (std::size_t j = 0; j < 12; ++j) c(i, j) = large(i + 5, j + 7);
    }

    const TransportPlan t = solve_exact(large.view().row_block(5, 10).col_block(7, 12));

    EXPECT_EQ(t.value, solve_exact(c.view()).value);
    expect_optimal(c, t);
}

TEST(DenseTransport, TotalsNeedNotBeOne) {
    const Matrix<double> c = random_matrix<double>(15, 15, 14);
    Stream stream(10, Purpose::test);
    Weights a = random_weights(15, stream);
    Weights b = random_weights(15, stream);
    const double one = solve_exact(c.view(), a, b).value;
    for (double& w : a) w *= 1e6;
    for (double& w : b) w *= 1e6 * (1 + 1e-7);  // within the tolerance

    const TransportPlan t = solve_exact(c.view(), a, b);

    EXPECT_NEAR(t.value, 1e6 * one, 1e-7);
    expect_optimal(c, t, a, b);
}

TEST(DenseTransport, RefusesInvalidInput) {
    Matrix<double> c = random_matrix<double>(5, 4, 15);
    const Weights two(5, 2);
    EXPECT_THROW(solve_exact(c.view(), two, {}), NumericalError);
    EXPECT_THROW(solve_exact(c.view(), Weights{1, 1, 1, 1, -1}, {}), NumericalError);
    EXPECT_THROW(solve_exact(c.view(), Weights(5, 0), {}), NumericalError);
    EXPECT_THROW(solve_exact(c.view(), Weights{1, 1, 1, 1, not_a_number}, {}), NumericalError);
    EXPECT_THROW(solve_exact(c.view(), Weights(4, 0.25), {}), ShapeMismatch);
    EXPECT_THROW(solve_exact(c.view(), {}, Weights(5, 0.2)), ShapeMismatch);
    EXPECT_THROW(solve_exact(Matrix<double>(0, 4).view()), ShapeMismatch);
    const Potentials short_start{{}, Weights(5)};
    const Potentials nan_start{{}, {0, 0, not_a_number, 0}};
    EXPECT_THROW(solve_exact(c.view(), {}, {}, &short_start), ShapeMismatch);
    EXPECT_THROW(solve_exact(c.view(), {}, {}, &nan_start), NumericalError);
    for (const double bad : {not_a_number, infinity, -infinity}) {
        c(3, 2) = bad;
        try {
            solve_exact(c.view());
            ADD_FAILURE() << bad;
        } catch (const NumericalError& error) {
            EXPECT_NE(error.problem.find("row 3 and column 2"), std::string::npos) << error.problem;
        }
    }
    EXPECT_THROW(solve_exact(matrix({{-1e308, 1e308}}).view()), NumericalError);
}
