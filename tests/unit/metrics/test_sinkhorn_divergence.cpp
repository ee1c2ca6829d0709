// SPDX-License-Identifier: MIT
#include "metrics/sinkhorn_divergence.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/sinkhorn.hpp"
#include "support/golden.hpp"
#include "support/populations.hpp"

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
    popflow::support::GoldenFile file("sinkhorn/sinkhorn.bin");
    std::size_t compared = 0;
    while (!file.at_end()) {
        const auto shape = file.read<std::int32_t>(3);
        const auto parts = file.read<double>(3);
        Matrix<float> x(static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[2]));
        Matrix<float> y(static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2]));
        std::ranges::copy(file.read<float>(x.size()), x.values().begin());
        std::ranges::copy(file.read<float>(y.size()), y.values().begin());
        (void)file.read<double>(x.rows() + y.rows());
        const auto expected = file.read<double>(5);
        if (!std::isnan(expected[3])) {
            const double found =
                sinkhorn_divergence(x.view(), y.view(), {.epsilon = parts[0], .rho = parts[1]});
            // Six digits of the values whose difference is the divergence.
            EXPECT_NEAR(found, expected[3], 1e-6 * (expected[2] + expected[3])) << compared;
            ++compared;
        }
        if (!std::isnan(expected[4])) {
            const popflow::ot::Cost cost(popflow::ot::CostKind::squared_euclidean, x.view(), y.view());
            const double epsilon = parts[0] * cost.mean() * cost.unit();
            const double found = transport_cost(x, y, epsilon) - transport_cost(x, x, epsilon) / 2 -
                                 transport_cost(y, y, epsilon) / 2;
            EXPECT_NEAR(std::max(found, 0.0), expected[4], 2e-5 * expected[0]);
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
