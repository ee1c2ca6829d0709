// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "metrics/scores.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::CachedWasserstein;
using popflow::metrics::kernel_distances;
using popflow::metrics::own_kernel_means;
using popflow::metrics::Scores;
using popflow::metrics::SharedWork;
using popflow::metrics::Wasserstein;
using popflow::metrics::wasserstein;
using popflow::support::normal_population;

namespace {

Matrix<float> shifted(const Matrix<float>& x, float by) {
    Matrix<float> z = x;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t k = 0; k < x.cols(); ++k) z(i, k) += by * std::sin(static_cast<float>(k + 1));
    }
    return z;
}

}  // namespace

TEST(SharedWork, ReusesThePlanForTranslates) {
    for (const std::size_t d : {1U, 2U, 10U, 43U}) {
        for (const std::size_t m : {300U, 257U}) {
            const Matrix<float> x = normal_population(300, d, 1, 2);
            const Matrix<float> y = normal_population(m, d, 2, 2.5F, 1.2F);
            CachedWasserstein distance(y.view());
            std::size_t n = 0;
            for (const float by : {0.0F, 0.3F, -1.7F, 40.0F}) {
                const Matrix<float> z = shifted(x, by);

                const Wasserstein found = distance(z.view());

                const Wasserstein expected = wasserstein(z.view(), y.view());
                EXPECT_NEAR(found.w1, expected.w1, 1e-12 * expected.w1);
                EXPECT_NEAR(found.w2, expected.w2, 2e-7 * expected.w2) << d << " markers, " << by;
                EXPECT_EQ(distance.reuse_count(), n++) << d << " markers, " << by;
            }
        }
    }
}

TEST(SharedWork, SolvesPopulationsThatAreNotTranslates) {
    const Matrix<float> x = normal_population(200, 5, 1);
    const Matrix<float> y = normal_population(200, 5, 2);
    CachedWasserstein distance(y.view());
    (void)distance(x.view());
    Matrix<float> z = shifted(x, 1);
    z(77, 3) += 0.01F;

    const Wasserstein found = distance(z.view());

    EXPECT_EQ(distance.reuse_count(), 0U);
    EXPECT_NEAR(found.w2, wasserstein(z.view(), y.view()).w2, 1e-12);
    const Matrix<float> fewer = normal_population(150, 5, 3);
    EXPECT_NEAR(distance(fewer.view()).w2, wasserstein(fewer.view(), y.view()).w2, 1e-12);
}

TEST(SharedWork, GivesTheSameScoresAsSeparateCalls) {
    const Matrix<float> x = normal_population(120, 6, 1);
    const Matrix<float> y = normal_population(110, 6, 2, 0.4F);
    const auto means = own_kernel_means(y.view());
    CachedWasserstein distance(y.view());
    const SharedWork shared{&means, &distance};
    for (const float by : {0.0F, 0.4F}) {
        const Matrix<float> z = shifted(x, by);

        const Scores found = popflow::metrics::score(z.view(), y.view(), {}, shared);

        const Scores expected = popflow::metrics::score(z.view(), y.view());
        EXPECT_EQ(found.mmd, expected.mmd);
        EXPECT_EQ(found.energy, expected.energy);
        EXPECT_NEAR(found.w1, expected.w1, 1e-12);
        EXPECT_NEAR(found.w2, expected.w2, 1e-6 * expected.w2);
        EXPECT_EQ(found.r2, expected.r2);
    }
    EXPECT_EQ(distance.reuse_count(), 1U);
}
