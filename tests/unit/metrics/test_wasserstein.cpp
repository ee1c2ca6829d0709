// SPDX-License-Identifier: MIT
#include "metrics/wasserstein.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "support/populations.hpp"

using popflow::linalg::Matrix;
using popflow::metrics::per_marker_w1;
using popflow::metrics::wasserstein;
using popflow::metrics::wasserstein1_1d;
using popflow::support::normal_population;
using popflow::support::rows;

TEST(Wasserstein, MatchesAnExampleByHand) {
    const auto x = rows({{0, 0}, {0, 2}});
    const auto y = rows({{3, 0}, {4, 2}});

    const auto w = wasserstein(x.view(), y.view());

    EXPECT_DOUBLE_EQ(w.w1, 3.5);
    EXPECT_DOUBLE_EQ(w.w2, std::sqrt(12.5));
}

TEST(Wasserstein, IsTheLengthOfTheShiftForATranslate) {
    Matrix<float> x = normal_population(300, 10, 1);
    for (float& v : x.values()) v = std::round(v * 64) / 64;  // so that the shift is exact
    Matrix<float> y = x;
    for (std::size_t i = 0; i < 300; ++i) {
        y(299 - i, 0) = x(i, 0) + 3;
        y(299 - i, 1) = x(i, 1) - 4;
        for (std::size_t k = 2; k < 10; ++k) y(299 - i, k) = x(i, k);
    }

    const auto w = wasserstein(x.view(), y.view());

    EXPECT_NEAR(w.w1, 5, 1e-12);
    EXPECT_NEAR(w.w2, 5, 1e-12);
}

TEST(Wasserstein, IsZeroForEqualPopulationsInAnyOrder) {
    const Matrix<float> x = normal_population(200, 4, 1);
    Matrix<float> y(200, 4);
    for (std::size_t i = 0; i < 200; ++i) std::copy_n(&x.values()[i * 4], 4, &y.values()[(199 - i) * 4]);

    const auto w = wasserstein(x.view(), y.view());

    EXPECT_EQ(w.w1, 0);
    EXPECT_EQ(w.w2, 0);
}

TEST(Wasserstein, IsSymmetricAndObeysTheTriangleInequality) {
    const Matrix<float> x = normal_population(60, 3, 1);
    const Matrix<float> y = normal_population(50, 3, 2, 0.5F);
    const Matrix<float> z = normal_population(70, 3, 3, -0.5F, 2);

    const auto xy = wasserstein(x.view(), y.view());
    const auto yx = wasserstein(y.view(), x.view());
    const auto yz = wasserstein(y.view(), z.view());
    const auto xz = wasserstein(x.view(), z.view());

    EXPECT_NEAR(xy.w1, yx.w1, 1e-12);
    EXPECT_NEAR(xy.w2, yx.w2, 1e-12);
    EXPECT_LE(xz.w1, xy.w1 + yz.w1);
    EXPECT_LE(xz.w2, xy.w2 + yz.w2);
    EXPECT_LE(xy.w1, xy.w2);
}

TEST(Wasserstein, ASingleOrderGivesTheSameValue) {
    const Matrix<float> x = normal_population(90, 7, 1);
    const Matrix<float> y = normal_population(80, 7, 2);

    const auto both = wasserstein(x.view(), y.view());

    EXPECT_NEAR(popflow::metrics::wasserstein1(x.view(), y.view()), both.w1, 1e-13 * both.w1);
    EXPECT_NEAR(popflow::metrics::wasserstein2(x.view(), y.view()), both.w2, 1e-13 * both.w2);
}

TEST(Wasserstein, AgreesWithSingleOrdersForDistancesOfAllLengths) {
    Matrix<float> x = normal_population(300, 3, 1);
    Matrix<float> y = normal_population(300, 3, 2, 0.2F);
    for (float& v : x.values()) v = std::exp(2 * v);
    for (float& v : y.values()) v = std::exp(2 * v);

    const auto both = wasserstein(x.view(), y.view());

    EXPECT_NEAR(both.w1, popflow::metrics::wasserstein1(x.view(), y.view()), 1e-10 * both.w1);
    EXPECT_NEAR(both.w2, popflow::metrics::wasserstein2(x.view(), y.view()), 1e-10 * both.w2);
}

TEST(Wasserstein1d, MatchesAnExampleByHand) {
    const float x[] = {0, 1, 3};
    const float y[] = {5, 6, 8};
    const float z[] = {0, 0, 1, 1};
    const float half[] = {0.5F};

    EXPECT_DOUBLE_EQ(wasserstein1_1d(x, y), 5);
    EXPECT_DOUBLE_EQ(wasserstein1_1d(z, half), 0.5);
    // G - F is 1/2 - 1/3 on [0, 1) and 1 - 2/3 on [1, 3).
    EXPECT_NEAR(wasserstein1_1d(x, z), 1.0 / 6 + 2.0 / 3, 1e-15);
}

TEST(Wasserstein1d, EqualsTheGeneralSolver) {
    const Matrix<float> x = normal_population(130, 1, 1);
    const Matrix<float> y = normal_population(77, 1, 2, 1);

    const double general = wasserstein(x.view(), y.view()).w1;

    EXPECT_NEAR(wasserstein1_1d(x.values(), y.values()), general, 1e-12);
    EXPECT_NEAR(per_marker_w1(x.view(), y.view()).at(0), general, 1e-12);
}

TEST(Wasserstein1d, RefusesEmptyInputAndNaN) {
    const float x[] = {0, 1};
    const float bad[] = {0, std::numeric_limits<float>::quiet_NaN()};
    EXPECT_THROW(wasserstein1_1d(x, {}), popflow::core::ShapeMismatch);
    EXPECT_THROW(wasserstein1_1d(x, bad), popflow::core::NumericalError);
}
