// SPDX-License-Identifier: MIT
#include "metrics/sinkhorn_divergence.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/sinkhorn.hpp"
#include "support/populations.hpp"
#include "support/sinkhorn_cases.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::sinkhorn_divergence;
using popflow::support::normal_population;

namespace {

double transport_cost(const Matrix<float>& x, const Matrix<float>& y, double epsilon) {
    const popflow::ot::Cost cost(popflow::ot::CostKind::squared_euclidean, x.view(), y.view());
    const popflow::ot::SinkhornOptions options{
        .epsilon = epsilon / (cost.mean() * cost.unit()), .sweeps = 20000, .tolerance = 2e-6, .values = true};
    return sinkhorn(cost, {}, {}, options).transport_cost;
}

}  // namespace

TEST(SinkhornDivergence, AgreesWithPot) {
    std::size_t compared = 0;
    for (const popflow::support::SinkhornCase& golden : popflow::support::sinkhorn_cases()) {
        if (!std::isnan(golden.divergence)) {
            const double found = sinkhorn_divergence(golden.x.view(), golden.y.view(),
                                                     {.epsilon = golden.epsilon, .rho = golden.rho_rows});
            // Six digits of the values whose difference is the divergence.
            EXPECT_NEAR(found, golden.divergence, 1e-6 * (golden.value + golden.divergence)) << compared;
            ++compared;
        }
        if (!std::isnan(golden.debiased)) {
            const popflow::ot::Cost cost(popflow::ot::CostKind::squared_euclidean, golden.x.view(),
                                         golden.y.view());
            const double epsilon = golden.epsilon * cost.mean() * cost.unit();
            const double found = transport_cost(golden.x, golden.y, epsilon) -
                                 transport_cost(golden.x, golden.x, epsilon) / 2 -
                                 transport_cost(golden.y, golden.y, epsilon) / 2;
            EXPECT_NEAR(std::max(found, 0.0), golden.debiased, 2e-5 * golden.transport_cost);
        }
    }
    EXPECT_EQ(compared, 16U);
}

TEST(SinkhornDivergence, IsZeroForEqualPopulationsAndPositiveOtherwise) {
    const Matrix<float> x = normal_population(80, 3, 1);
    const Matrix<float> y = normal_population(80, 3, 2);

    EXPECT_NEAR(sinkhorn_divergence(x.view(), x.view()), 0, 1e-7);
    EXPECT_GT(sinkhorn_divergence(x.view(), y.view()), 1e-3);
    EXPECT_NEAR(sinkhorn_divergence(x.view(), y.view()), sinkhorn_divergence(y.view(), x.view()), 1e-6);
    const Matrix<float> point(5, 3);
    EXPECT_EQ(sinkhorn_divergence(point.view(), point.view()), 0);
}

TEST(SinkhornDivergence, ConvergesToTheSquaredDistanceAsEpsilonDecreases) {
    const Matrix<float> x = normal_population(60, 2, 1);
    const Matrix<float> y = normal_population(60, 2, 2, 1);
    const double w2 = popflow::metrics::wasserstein2(x.view(), y.view());

    EXPECT_NEAR(sinkhorn_divergence(x.view(), y.view(), {.epsilon = 0.002}), w2 * w2, 0.01 * w2 * w2);
}

TEST(SinkhornDivergence, RefusesDifferentMarkersAndNonFiniteValues) {
    Matrix<float> x = normal_population(5, 2, 1);
    EXPECT_THROW(sinkhorn_divergence(x.view(), Matrix<float>(4, 3).view()), popflow::core::ShapeMismatch);
    x(1, 1) = std::nanf("");
    EXPECT_THROW(sinkhorn_divergence(x.view(), x.view()), popflow::core::NumericalError);
}
