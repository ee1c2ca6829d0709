// SPDX-License-Identifier: MIT
#include "screen/normalisation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"

using namespace popflow::core;
using namespace popflow::screen;
using popflow::linalg::Matrix;

namespace {

double sigma(std::size_t j) {
    return 1 + static_cast<double>(j);
}

Matrix<float> random_matrix(std::size_t n, std::size_t d) {
    popflow::core::Stream stream(5, popflow::core::Purpose::test);
    Matrix<float> x(n, d);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < d; ++j) x(i, j) = static_cast<float>(1000.0 + sigma(j) * stream.normal());
    }
    return x;
}

}  // namespace

TEST(Moments, MatchValuesComputedByHand) {
    Matrix<float> x(4, 2);
    const float values[4][2] = {{1, 5}, {2, 5}, {3, 5}, {6, 5}};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 2; ++j) x(i, j) = values[i][j];
    }

    const Moments m = moments(x);

    EXPECT_EQ(m.n, 4U);
    EXPECT_EQ(m.mean, (std::vector<double>{3, 5}));
    EXPECT_EQ(m.m2, (std::vector<double>{14, 0}));
    const Normalisation normalisation = make_normalisation(m);
    EXPECT_FLOAT_EQ(normalisation.scale, std::sqrt(3.5F) / 2);  // the mean of sqrt(14 / 4) and 0
}

TEST(Moments, CombinedPartsMatchTheWhole) {
    const Matrix<float> x = random_matrix(5000, 3);
    const Moments whole = moments(x);

    for (const std::size_t cut : {0U, 1U, 1023U, 2500U, 5000U}) {
        const Moments parts =
            combine(moments(x.view().row_block(0, cut)), moments(x.view().row_block(cut, 5000 - cut)));
        EXPECT_EQ(parts.n, whole.n);
        for (std::size_t j = 0; j < 3; ++j) {
            // Both sides are sums of 5000 squares in double precision, each with its own rounding errors.
            EXPECT_NEAR(parts.mean[j], whole.mean[j], 1e-12 * whole.mean[j]);
            EXPECT_NEAR(parts.m2[j], whole.m2[j], 1e-11 * whole.m2[j]);
        }
    }
}

TEST(Moments, StandardDeviationsAreAccurateForALargeMean) {
    const Moments m = moments(random_matrix(20000, 3));

    // The tolerance is six standard errors. The standard error of a standard deviation is sigma / sqrt(2 n).
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(m.standard_deviation(j), sigma(j), sigma(j) * 6 / 200);
}

TEST(Normalisation, ApplyStandardisesAndInvertRestores) {
    Matrix<float> x = random_matrix(1000, 3);
    const Matrix<float> before = x;
    const Normalisation normalisation = make_normalisation(moments(x));

    normalisation.apply(x);
    const Moments after = moments(x);
    normalisation.invert(x);

    double spread = 0;
    for (std::size_t j = 0; j < 3; ++j) {
        EXPECT_NEAR(after.mean[j], 0, 1e-4);  // values near 1000 are rounded to float
        spread += after.standard_deviation(j) / 3;
    }
    EXPECT_NEAR(spread, 1, 1e-5);
    for (std::size_t k = 0; k < x.size(); ++k) EXPECT_NEAR(x.values()[k], before.values()[k], 4e-4);
}

TEST(Normalisation, ThrowsForDataWithoutSpread) {
    Matrix<float> x(3000, 2);
    x.fill(0.1F);

    EXPECT_THROW(make_normalisation(moments(x)), popflow::core::NumericalError);
    EXPECT_THROW(make_normalisation(Moments()), popflow::core::NumericalError);
}

TEST(Normalisation, NoNormalisationKeepsAllValues) {
    Matrix<float> x(2, 2);
    x.values()[0] = 0.1F;
    x.values()[3] = -7;
    const Matrix<float> before = x;

    popflow::screen::no_normalisation(2).apply(x);

    EXPECT_TRUE(std::ranges::equal(x.values(), before.values()));
}

TEST(Normalisation, ThrowsForAnotherNumberOfMarkers) {
    Matrix<float> x(2, 3);
    const Normalisation normalisation{{1, 2}, 1};

    EXPECT_THROW(normalisation.apply(x), popflow::core::ShapeMismatch);
    EXPECT_THROW(combine({1, {1}, {0}}, {1, {1, 2}, {0, 0}}), popflow::core::ShapeMismatch);
}
