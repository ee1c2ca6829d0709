// SPDX-License-Identifier: MIT
// Checks properties of exact transport on random problems, and values against POT and SciPy.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.hpp"
#include "ot/certificate.hpp"
#include "ot/exact.hpp"
#include "support/golden.hpp"
#include "support/populations.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::ot::Certificate;
using popflow::ot::certify;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::solve_exact;
using popflow::ot::TransportPlan;
using popflow::support::GoldenFile;
using popflow::support::normal_population;

namespace {

constexpr CostKind kinds[] = {CostKind::euclidean, CostKind::squared_euclidean, CostKind::cosine};

std::vector<double> random_weights(std::size_t n, Stream& stream) {
    std::vector<double> w(n);
    for (double& v : w) v = stream.uniform() + 0.01;
    const double total = std::accumulate(w.begin(), w.end(), 0.0);
    for (double& v : w) v /= total;
    return w;
}

Matrix<float> reordered(const Matrix<float>& x, std::span<const std::uint32_t> order) {
    Matrix<float> z(x.rows(), x.cols());
    for (std::size_t i = 0; i < x.rows(); ++i)
        std::ranges::copy(x.view().row_span(order[i]), z.view().row(i));
    return z;
}

// Returns random cells. tests/golden/transport/generate.py has the same generator.
Matrix<float> cells(std::size_t n, std::size_t d, std::uint64_t seed, float scale) {
    std::uint64_t state = seed * 2 + 1;
    Matrix<float> x(n, d);
    for (float& v : x.values()) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const auto u = static_cast<float>(static_cast<double>(state >> 40U) / 8388608 - 1);
        v = u * std::fabs(u) * scale;
    }
    return x;
}

void expect_proven(const Cost& cost, const TransportPlan& t) {
    const Certificate certificate = certify(cost, t);
    const double scale = cost.unit() * cost.largest() + 1e-300;
    EXPECT_LE(certificate.violation, 1e-11 * scale);
    EXPECT_LE(certificate.gap, 1e-11 * scale);
    for (const auto& e : t.plan) {
        // Complementary slackness: only tight arcs carry mass.
        EXPECT_NEAR(t.duals.f[e.i] + t.duals.g[e.j], cost.offset() + cost.unit() * cost.exact(e.i, e.j),
                    1e-11 * scale);
    }
}

}  // namespace

TEST(ExactTransportProperties, ValuesAgreeWithPotOnTwoHundredProblems) {
    GoldenFile file("transport/transport.bin");
    std::size_t number = 0;
    for (; !file.at_end(); ++number) {
        const auto shape = file.read<std::int32_t>(5);
        Matrix<float> x(static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[2]));
        Matrix<float> y(static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2]));
        std::ranges::copy(file.read<float>(x.size()), x.values().begin());
        std::ranges::copy(file.read<float>(y.size()), y.values().begin());
        const auto a = file.read<double>(x.rows());
        const auto b = file.read<double>(y.rows());
        const double value = file.read<double>(1)[0];
        const Cost cost(kinds[shape[3]], x.view(), y.view());

        const TransportPlan t = shape[4] != 0 ? solve_exact(cost) : solve_exact(cost, a, b);

        EXPECT_NEAR(t.value, value, 1e-6 * value + 1e-12) << number;
        expect_proven(cost, t);
    }
    EXPECT_EQ(number, 200U);
}

TEST(ExactTransportProperties, ValuesAgreeWithPotAndScipyOnLargeProblems) {
    GoldenFile file("transport/large.bin");
    std::size_t number = 0;
    for (; !file.at_end(); ++number) {
        const auto shape = file.read<std::int32_t>(5);
        const auto d = static_cast<std::size_t>(shape[2]);
        const double value = file.read<double>(1)[0];
        const Matrix<float> x = cells(static_cast<std::size_t>(shape[0]), d, 1, 1);
        const Matrix<float> y = cells(static_cast<std::size_t>(shape[1]), d, 2, 0.75F);
        const Cost cost(kinds[shape[3]], x.view(), y.view());

        const TransportPlan t = solve_exact(cost);

        EXPECT_NEAR(t.value, value, 1e-9 * value) << number;
        expect_proven(cost, t);
    }
    EXPECT_EQ(number, 5U);
}

TEST(ExactTransportProperties, ThePlanHasTheGivenMarginals) {
    Stream stream(1, Purpose::test);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const std::size_t n = 1 + stream.below(80);
        const std::size_t m = 1 + stream.below(80);
        const Matrix<float> x = normal_population(n, 1 + seed % 4, seed);
        const Matrix<float> y = normal_population(m, 1 + seed % 4, seed + 100);
        const auto a = random_weights(n, stream);
        const auto b = random_weights(m, stream);
        const Cost cost(CostKind::squared_euclidean, x.view(), y.view());

        const TransportPlan t = solve_exact(cost, a, b);

        std::vector<double> row(n);
        std::vector<double> col(m);
        for (const auto& e : t.plan) {
            row[e.i] += e.mass;
            col[e.j] += e.mass;
        }
        for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(row[i], a[i], 1e-12);
        for (std::size_t j = 0; j < m; ++j) EXPECT_NEAR(col[j], b[j], 1e-12);
        expect_proven(cost, t);
    }
}

TEST(ExactTransportProperties, DistancesAreSymmetricAndObeyTheTriangleInequality) {
    Stream stream(2, Purpose::test);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const std::size_t d = 1 + seed % 3;
        const Matrix<float> x = normal_population(5 + stream.below(40), d, seed);
        const Matrix<float> y = normal_population(5 + stream.below(40), d, seed + 50, 0.5F);
        const Matrix<float> z = normal_population(5 + stream.below(40), d, seed + 90, -0.5F, 2);
        for (const bool squared : {false, true}) {
            const auto distance = [&](const Matrix<float>& p, const Matrix<float>& q) {
                const CostKind kind = squared ? CostKind::squared_euclidean : CostKind::euclidean;
                const double value = solve_exact(Cost(kind, p.view(), q.view())).value;
                return squared ? std::sqrt(value) : value;
            };
            EXPECT_LE(distance(x, z), (distance(x, y) + distance(y, z)) * (1 + 1e-12));
            EXPECT_NEAR(distance(x, y), distance(y, x), 1e-11 * distance(x, y));
        }
    }
}

TEST(ExactTransportProperties, TranslationChangesTheSquaredDistanceByItsFormula) {
    for (const std::size_t d : {1U, 2U, 9U}) {
        Matrix<float> x = normal_population(90, d, 1);
        Matrix<float> y = normal_population(70, d, 2);
        for (auto* z : {&x, &y}) {
            for (float& v : z->values()) v = std::round(v * 64) / 64;  // so that the shift is exact
        }
        const double before = solve_exact(Cost(CostKind::squared_euclidean, x.view(), y.view())).value;
        double expected = before;
        for (std::size_t k = 0; k < d; ++k) {
            const double s = static_cast<double>(k + 1) / 4;
            for (std::size_t i = 0; i < 90; ++i) expected += 2 * s * x(i, k) / 90;
            for (std::size_t j = 0; j < 70; ++j) expected -= 2 * s * y(j, k) / 70;
            expected += s * s;
            for (std::size_t i = 0; i < 90; ++i) x(i, k) += static_cast<float>(s);
        }

        const double after = solve_exact(Cost(CostKind::squared_euclidean, x.view(), y.view())).value;

        EXPECT_NEAR(after, expected, 1e-11 * expected);
    }
}

TEST(ExactTransportProperties, TheValueDoesNotDependOnTheOrderOfCells) {
    Stream stream(3, Purpose::test);
    const Matrix<float> x = normal_population(130, 4, 1);
    const Matrix<float> y = normal_population(110, 4, 2);
    for (const CostKind kind : kinds) {
        const double value = solve_exact(Cost(kind, x.view(), y.view())).value;
        for (int l = 0; l < 3; ++l) {
            const Matrix<float> u = reordered(x, stream.permutation(130));
            const Matrix<float> v = reordered(y, stream.permutation(110));

            EXPECT_NEAR(solve_exact(Cost(kind, u.view(), v.view())).value, value, 1e-12 * value);
        }
    }
}

TEST(ExactTransportProperties, MatrixAndFunctionCostsGiveTheSameValue) {
    const Matrix<float> x = normal_population(60, 3, 1);
    const Matrix<float> y = normal_population(50, 3, 2);
    const Cost points(CostKind::euclidean, x.view(), y.view());
    Matrix<float> single(60, 50);
    Matrix<double> dense(60, 50);
    for (std::size_t i = 0; i < 60; ++i) {
        for (std::size_t j = 0; j < 50; ++j) {
            dense(i, j) = points.unit() * points.exact(i, j) - 1;
            single(i, j) = static_cast<float>(dense(i, j));
        }
    }
    const double expected = solve_exact(points).value - 1;

    EXPECT_NEAR(solve_exact(Cost(dense.view())).value, expected, 1e-12);
    EXPECT_NEAR(solve_exact(Cost(single.view())).value, expected, 1e-6);
    const Cost function(60, 50, [&](std::size_t i, std::size_t j) { return dense(i, j); });
    EXPECT_EQ(solve_exact(function).value, solve_exact(Cost(dense.view())).value);
    expect_proven(function, solve_exact(function));
    EXPECT_THROW(Cost(2000, 1000, [](std::size_t i, std::size_t) { return i == 1999 ? std::nan("") : 0.0; }),
                 popflow::core::NumericalError);
}
