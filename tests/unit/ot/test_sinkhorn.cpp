// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "core/error.hpp"
#include "ot/exact.hpp"
#include "support/populations.hpp"
#include "support/sinkhorn_cases.hpp"

using popflow::linalg::Matrix;
using popflow::ot::Cost;
using popflow::ot::CostKind;
using popflow::ot::sinkhorn;
using popflow::ot::SinkhornResult;
using popflow::support::normal_population;
using popflow::support::rows;

namespace {

double dual_value(const SinkhornResult& r) {
    double sum = 0;
    for (double f : r.potentials.f) sum += f / static_cast<double>(r.potentials.f.size());
    for (double g : r.potentials.g) sum += g / static_cast<double>(r.potentials.g.size());
    return sum;
}

}  // namespace

TEST(Sinkhorn, MatchesATwoByTwoExample) {
    // Costs 0 and 1: the symmetric solution is P = 1/2 [p, 1-p; 1-p, p], p = 1 / (1 + e^(-1/eps)), and
    // f + g = -eps log((1 + e^(-1/eps)) / 2).
    const auto x = rows({{0}, {1}});
    const Cost cost(CostKind::euclidean, x.view(), x.view());
    const double epsilon = 0.25;

    const SinkhornResult r =
        sinkhorn(cost, {}, {}, {.epsilon = epsilon / 0.5, .sweeps = 50, .count_partners = true});

    const double expected = -epsilon * std::log((1 + std::exp(-1 / epsilon)) / 2);
    EXPECT_NEAR(r.potentials.f[0] + r.potentials.g[0], expected, 1e-6);
    EXPECT_NEAR(r.potentials.f[1] + r.potentials.g[1], expected, 1e-6);
    EXPECT_LE(r.marginal_error, 1e-6);
    const double p = 1 / (1 + std::exp(-1 / epsilon));
    EXPECT_NEAR(r.partners, 1 / (p * p + (1 - p) * (1 - p)), 1e-5);
}

TEST(Sinkhorn, ConvergesToTheExactValueAsEpsilonDecreases) {
    const Matrix<float> x = normal_population(80, 3, 1);
    const Matrix<float> y = normal_population(70, 3, 2, 0.5F);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    const double value = popflow::ot::solve_exact(cost).value;
    for (const double epsilon : {0.3, 0.1, 0.03, 0.01}) {
        const SinkhornResult r = sinkhorn(
            cost, {}, {}, {.epsilon = epsilon, .sweeps = 2000, .tolerance = 1e-5, .allow_unconverged = true});

        // The entropy KL(P | a b) of a plan lies between 0 and log 70.
        EXPECT_GT(dual_value(r), value);
        EXPECT_LT(dual_value(r), value + epsilon * cost.mean() * cost.unit() * std::log(70));
    }
}

TEST(Sinkhorn, IsStableIfExponentialsUnderflow) {
    Matrix<float> x = normal_population(50, 2, 1);
    Matrix<float> y = normal_population(50, 2, 2);
    for (std::size_t j = 0; j < 25; ++j) y(j, 0) += 1e4F;

    const SinkhornResult r = sinkhorn(Cost(CostKind::squared_euclidean, x.view(), y.view()), {}, {},
                                      {.epsilon = 1e-4, .sweeps = 200});

    for (double f : r.potentials.f) EXPECT_TRUE(std::isfinite(f));
    for (double g : r.potentials.g) EXPECT_TRUE(std::isfinite(g));
}

TEST(Sinkhorn, ConvergedPotentialsAreAFixedPoint) {
    const Matrix<float> x = normal_population(60, 4, 1);
    const Matrix<float> y = normal_population(90, 4, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const SinkhornResult r = sinkhorn(cost, {}, {}, {.epsilon = 0.1, .sweeps = 1000, .tolerance = 1e-6});

    const SinkhornResult again = sinkhorn(cost, {}, {}, {.epsilon = 0.1, .sweeps = 1}, &r.potentials);

    EXPECT_LE(again.marginal_error, 3e-6);
    for (std::size_t j = 0; j < 90; ++j) EXPECT_NEAR(again.potentials.g[j], r.potentials.g[j], 1e-4);
}

TEST(Sinkhorn, ThePlanHasTheGivenMarginals) {
    const auto x = rows({{0}, {1}, {2}});
    const auto y = rows({{0}, {1.5F}});
    const std::vector<double> a{0.5, 0, 0.5};
    const std::vector<double> b{0.25, 0.75};
    const Cost cost(CostKind::euclidean, x.view(), y.view());

    const SinkhornResult r = sinkhorn(cost, a, b, {.epsilon = 0.3, .sweeps = 500});

    const double epsilon = 0.3 * cost.mean() * cost.unit();
    for (std::size_t j = 0; j < 2; ++j) {
        double mass = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const double c = cost.exact(i, j) * cost.unit();
            mass += a[i] * b[j] * std::exp((r.potentials.f[i] + r.potentials.g[j] - c) / epsilon);
        }
        EXPECT_NEAR(mass, b[j], 1e-5);
    }
}

TEST(Sinkhorn, IsBitwiseEqualForAnyNumberOfThreads) {
    const Matrix<float> x = normal_population(300, 5, 1);
    const Matrix<float> y = normal_population(200, 5, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const SinkhornResult one = sinkhorn(cost, {}, {}, {.sweeps = 5});
    omp_set_num_threads(3);
    const SinkhornResult three = sinkhorn(cost, {}, {}, {.sweeps = 5});
    omp_set_num_threads(before);

    EXPECT_EQ(one.potentials.f, three.potentials.f);
    EXPECT_EQ(one.potentials.g, three.potentials.g);
}

TEST(Sinkhorn, AgreesWithPot) {
    std::size_t number = 0;
    for (const popflow::support::SinkhornCase& golden : popflow::support::sinkhorn_cases()) {
        const Cost cost(CostKind::squared_euclidean, golden.x.view(), golden.y.view());

        const SinkhornResult r = sinkhorn(cost, golden.a, golden.b,
                                          {.epsilon = golden.epsilon,
                                           .sweeps = 100000,
                                           .tolerance = 2e-6,
                                           .rho_rows = golden.rho_rows,
                                           .rho_cols = golden.rho_cols,
                                           .values = true});

        EXPECT_NEAR(r.transport_cost, golden.transport_cost, 2e-5 * golden.transport_cost) << number;
        EXPECT_NEAR(r.mass, golden.mass, 1e-5) << number;
        EXPECT_NEAR(r.value, golden.value, 1e-6 * golden.value) << number;
        ++number;
    }
    EXPECT_EQ(number, 24U);
}

TEST(Sinkhorn, MatchesAnUnbalancedExample) {
    // One cell on each side at distance c: P minimises P c + (eps + 2 rho) KL(P | 1).
    const auto x = rows({{0}});
    const auto y = rows({{2}});
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    const double epsilon = 0.5;
    const double rho = 1.5;

    const SinkhornResult r = sinkhorn(
        cost, {}, {}, {.epsilon = epsilon, .sweeps = 200, .rho_rows = rho, .rho_cols = rho, .values = true});

    const double weight = 4 * (epsilon + 2 * rho);  // the mean cost is 4
    const double mass = std::exp(-4 / weight);
    EXPECT_NEAR(r.mass, mass, 1e-6);
    EXPECT_NEAR(r.transport_cost, 4 * mass, 1e-5);
    EXPECT_NEAR(r.value, weight * (1 - mass), 1e-6);
}

TEST(Sinkhorn, AllowsFreeColumns) {
    // Free columns: each row chooses its columns and pays only for the entropy.
    const Matrix<float> x = normal_population(30, 2, 1);
    const Matrix<float> y = normal_population(40, 2, 2);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());

    const SinkhornResult r =
        sinkhorn(cost, {}, {}, {.epsilon = 0.2, .sweeps = 200, .rho_cols = 1e-9, .values = true});

    const double eps = 0.2 * cost.mean();
    double expected = 0;
    for (std::size_t i = 0; i < 30; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < 40; ++j) sum += std::exp(-cost.exact(i, j) / eps) / 40;
        expected -= eps * std::log(sum) / 30;
    }
    EXPECT_NEAR(r.value, expected * cost.unit(), 1e-5 * r.value);
    EXPECT_NEAR(r.mass, 1, 1e-6);
}

TEST(Sinkhorn, UnbalancedPlanHasTheReportedCostAndMassForNegativeCosts) {
    Matrix<double> c(3, 4);
    for (std::size_t l = 0; l < 12; ++l) c.values()[l] = std::sin(static_cast<double>(l)) - 3;
    const Cost cost(c.view());
    const popflow::ot::SinkhornOptions options{
        .epsilon = 0.4, .sweeps = 500, .rho_rows = 2, .rho_cols = 2, .values = true};

    const SinkhornResult r = sinkhorn(cost, {}, {}, options);

    // The plan of the potentials has the reported cost and mass. Negative costs make the mass larger than 1.
    const double eps = options.epsilon * cost.mean() * cost.unit();
    const double rho = 2 * cost.mean() * cost.unit();
    double mass = 0;
    double moved = 0;
    std::vector<double> row(3);
    std::vector<double> col(4);
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            const double p = std::exp((r.potentials.f[i] + r.potentials.g[j] - c(i, j)) / eps) / 12;
            mass += p;
            moved += p * c(i, j);
            row[i] += p;
            col[j] += p;
        }
    }
    EXPECT_NEAR(mass, r.mass, 1e-4 * mass);
    EXPECT_NEAR(moved, r.transport_cost, 1e-4 * std::fabs(moved));
    EXPECT_GT(mass, 1);
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(row[i], std::exp(-r.potentials.f[i] / rho) / 3, 1e-4 * mass);
    for (std::size_t j = 0; j < 4; ++j)
        EXPECT_NEAR(col[j], std::exp(-r.potentials.g[j] / rho) / 4, 1e-4 * mass);
}

TEST(Sinkhorn, StartsFromEitherPotential) {
    const Matrix<float> x = normal_population(60, 4, 1);
    const Matrix<float> y = normal_population(90, 4, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    for (const double rho : {std::numeric_limits<double>::infinity(), 0.7}) {
        popflow::ot::SinkhornOptions options{
            .epsilon = 0.1, .sweeps = 2000, .tolerance = 1e-6, .rho_rows = rho, .rho_cols = rho};
        const SinkhornResult r = sinkhorn(cost, {}, {}, options);
        options.sweeps = 1;
        options.tolerance = 0;
        const popflow::ot::Potentials from_f{r.potentials.f, {}};
        const popflow::ot::Potentials from_g{{}, r.potentials.g};

        EXPECT_LE(sinkhorn(cost, {}, {}, options, &from_f).marginal_error, 1e-5);
        EXPECT_LE(sinkhorn(cost, {}, {}, options, &from_g).marginal_error, 1e-5);
        EXPECT_GT(sinkhorn(cost, {}, {}, options).marginal_error, 1e-3);
    }
}

TEST(Sinkhorn, ThrowsIfItDoesNotConverge) {
    const Matrix<float> x = normal_population(50, 2, 1);
    const Matrix<float> y = normal_population(50, 2, 2);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    popflow::ot::SinkhornOptions options{.epsilon = 1e-3, .sweeps = 3, .tolerance = 1e-6};

    EXPECT_THROW(sinkhorn(cost, {}, {}, options), popflow::core::NumericalError);

    options.allow_unconverged = true;
    EXPECT_EQ(sinkhorn(cost, {}, {}, options).sweeps, 3U);
}
