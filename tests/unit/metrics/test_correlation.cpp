// SPDX-License-Identifier: MIT
#include "metrics/correlation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "metrics/scores.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::correlation_r2;
using popflow::metrics::r2_of_means;
using popflow::support::normal_population;
using popflow::support::rows;

TEST(CorrelationR2, IsOneForScaledAndShiftedMarkers) {
    const Matrix<float> x = normal_population(100, 6, 1);
    Matrix<float> y = x;
    for (std::size_t i = 0; i < 100; ++i) {
        for (std::size_t j = 0; j < 6; ++j) y(i, j) = 2 * x(i, j) + 1000;
    }

    EXPECT_NEAR(correlation_r2(x.view(), y.view()), 1, 1e-6);
}

TEST(CorrelationR2, IsSignedNotSquared) {
    // The correlations between the markers are (1, -1, -1) for x and (-1, 1, -1) for y, in which the second
    // and the third marker are reversed.
    const auto x = rows({{0, 0, 1}, {1, 1, 0}, {2, 2, -1}});
    const auto y = rows({{0, 0, 1}, {1, -1, 2}, {2, -2, 3}});

    EXPECT_NEAR(correlation_r2(x.view(), y.view()), -0.5, 1e-14);
}

TEST(CorrelationR2, IgnoresConstantMarkers) {
    Matrix<float> x = normal_population(50, 5, 1);
    Matrix<float> y = normal_population(60, 5, 2);
    for (std::size_t i = 0; i < 50; ++i) x(i, 2) = 7;
    Matrix<float> x4(50, 4);
    Matrix<float> y4(60, 4);
    const std::size_t kept[] = {0, 1, 3, 4};
    for (std::size_t l = 0; l < 4; ++l) {
        for (std::size_t i = 0; i < 50; ++i) x4(i, l) = x(i, kept[l]);
        for (std::size_t i = 0; i < 60; ++i) y4(i, l) = y(i, kept[l]);
    }

    EXPECT_EQ(correlation_r2(x.view(), y.view()), correlation_r2(x4.view(), y4.view()));
}

TEST(CorrelationR2, IsUndefinedBelowThreeMarkers) {
    const Matrix<float> x = normal_population(50, 2, 1);
    EXPECT_TRUE(std::isnan(correlation_r2(x.view(), x.view())));
    EXPECT_TRUE(std::isnan(correlation_r2(x.view().row_block(0, 1), x.view())));
}

TEST(R2OfMeans, MatchesAnExampleByHand) {
    const auto predicted = rows({{0, 1, 2}, {0, 1, 4}});
    const auto truth = rows({{1, 1, 4}});

    // Means 0 1 3 against 1 1 4: residual 2, total 1 + 1 + 4.
    EXPECT_NEAR(r2_of_means(predicted.view(), truth.view()), 1 - 2.0 / 6, 1e-15);
    EXPECT_TRUE(std::isnan(r2_of_means(predicted.view(), rows({{1, 1, 1}}).view())));
}

TEST(Score, ComputesOnlyTheRequestedMetrics) {
    const Matrix<float> x = normal_population(30, 4, 1);
    const Matrix<float> y = normal_population(30, 4, 2);

    const auto all = popflow::metrics::score(x.view(), y.view());
    const auto some = popflow::metrics::score(x.view(), y.view(),
                                              {.w1 = false,
                                               .mmd = false,
                                               .r2 = false,
                                               .energy = true,
                                               .r2_means = false,
                                               .w1_markers = false,
                                               .mmd_scaled = false});

    EXPECT_TRUE(std::isnan(some.w1));
    EXPECT_TRUE(std::isnan(some.mmd));
    EXPECT_TRUE(std::isnan(some.r2));
    EXPECT_TRUE(std::isnan(some.r2_means));
    EXPECT_TRUE(std::isnan(some.w1_markers));
    EXPECT_TRUE(std::isnan(some.mmd_scaled));
    EXPECT_NEAR(some.w2, all.w2, 1e-13 * all.w2);
    EXPECT_EQ(some.energy, all.energy);
    EXPECT_THROW(popflow::metrics::score(x.view(), Matrix<float>(3, 5).view()), popflow::core::ShapeMismatch);
}
