// SPDX-License-Identifier: MIT
#include "ot/sinkhorn.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "ot/exact.hpp"
#include "support/populations.hpp"

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

TEST(Sinkhorn, TwoByTwoByHand) {
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

TEST(Sinkhorn, GoesToTheExactValueAsEpsilonFalls) {
    const Matrix<float> x = normal_population(80, 3, 1);
    const Matrix<float> y = normal_population(70, 3, 2, 0.5F);
    const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
    const double value = popflow::ot::exact(cost).value;
    for (const double epsilon : {0.3, 0.1, 0.03, 0.01}) {
        const SinkhornResult r =
            sinkhorn(cost, {}, {}, {.epsilon = epsilon, .sweeps = 2000, .tolerance = 1e-5});

        // The entropy KL(P | a b) of a plan lies between 0 and log 70.
        EXPECT_GT(dual_value(r), value);
        EXPECT_LT(dual_value(r), value + epsilon * cost.mean() * cost.unit() * std::log(70));
    }
}

TEST(Sinkhorn, IsStableWhereExponentialsUnderflow) {
    Matrix<float> x = normal_population(50, 2, 1);
    Matrix<float> y = normal_population(50, 2, 2);
    for (std::size_t j = 0; j < 25; ++j) y(j, 0) += 1e4F;

    const SinkhornResult r = sinkhorn(Cost(CostKind::squared_euclidean, x.view(), y.view()), {}, {},
                                      {.epsilon = 1e-4, .sweeps = 200});

    for (double f : r.potentials.f) EXPECT_TRUE(std::isfinite(f));
    for (double g : r.potentials.g) EXPECT_TRUE(std::isfinite(g));
}

TEST(Sinkhorn, ItsOwnPotentialsAreAFixedPoint) {
    const Matrix<float> x = normal_population(60, 4, 1);
    const Matrix<float> y = normal_population(90, 4, 2);
    const Cost cost(CostKind::euclidean, x.view(), y.view());
    const SinkhornResult r = sinkhorn(cost, {}, {}, {.epsilon = 0.1, .sweeps = 1000, .tolerance = 1e-6});

    const SinkhornResult again = sinkhorn(cost, {}, {}, {.epsilon = 0.1, .sweeps = 1}, &r.potentials);

    EXPECT_LE(again.marginal_error, 3e-6);
    for (std::size_t j = 0; j < 90; ++j) EXPECT_NEAR(again.potentials.g[j], r.potentials.g[j], 1e-4);
}

TEST(Sinkhorn, MarginalsOfWeights) {
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

TEST(Sinkhorn, SameBitsForAnyNumberOfThreads) {
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
