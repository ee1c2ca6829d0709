// SPDX-License-Identifier: MIT
#include "ot/bures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "metrics/wasserstein.hpp"

using popflow::linalg::Matrix;
using popflow::ot::gaussian_moments;
using popflow::ot::GaussianMoments;
using popflow::ot::squared_bures_distance;

namespace {

Matrix<float> cells(std::size_t n, std::size_t d, std::uint64_t key, float scale = 1) {
    Matrix<float> x(n, d);
    popflow::core::Stream(1, popflow::core::Purpose::test, key).fill_normal(x.values());
    for (float& value : x.values()) value *= scale;
    return x;
}

}  // namespace

TEST(Bures, MomentsHaveTheDivisorN) {
    Matrix<float> x(4, 2);
    const std::vector<float> values{0, 0, 2, 0, 0, 4, 2, 4};
    std::ranges::copy(values, x.values().begin());
    const GaussianMoments moments = gaussian_moments(x);
    EXPECT_EQ(moments.mean, (std::vector<double>{1, 2}));
    EXPECT_DOUBLE_EQ(moments.covariance(0, 0), 1);
    EXPECT_DOUBLE_EQ(moments.covariance(1, 1), 4);
    EXPECT_DOUBLE_EQ(moments.covariance(0, 1), 0);
    EXPECT_NEAR(moments.root(0, 0), 1, 1e-14);
    EXPECT_NEAR(moments.root(1, 1), 2, 1e-14);
}

TEST(Bures, CommutingCovariancesDifferByTheirRoots) {
    // Both covariances are diagonal: sum (a - b)^2 of the deviations, and the distance of the means.
    GaussianMoments a{{0, 0}, Matrix<double>(2, 2), Matrix<double>(2, 2)};
    GaussianMoments b{{3, 4}, Matrix<double>(2, 2), Matrix<double>(2, 2)};
    for (auto [moments, first, second] : {std::tuple{&a, 1.0, 2.0}, std::tuple{&b, 5.0, 0.0}}) {
        moments->covariance(0, 0) = first * first;
        moments->covariance(1, 1) = second * second;
        moments->root(0, 0) = first;
        moments->root(1, 1) = second;
    }
    EXPECT_NEAR(squared_bures_distance(a, b), 25 + 16 + 4, 1e-12);
}

// The optimal map between Gaussians N(0, A) and N(b, C A C) is x -> b + C x for every symmetric positive C.
TEST(Bures, EqualsTheCostOfTheOptimalMap) {
    const std::size_t d = 3;
    const Matrix<float> x = cells(500, d, 1);
    const double c[3][3] = {{2, 0.5, 0.1}, {0.5, 1, -0.2}, {0.1, -0.2, 0.7}};
    Matrix<float> y(x.rows(), d);
    double cost = 0;
    const GaussianMoments a = gaussian_moments(x);
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < d; ++j) {
            double value = 1;
            for (std::size_t k = 0; k < d; ++k) value += c[j][k] * static_cast<double>(x(i, k));
            y(i, j) = static_cast<float>(value);
            const double difference = static_cast<double>(y(i, j)) - static_cast<double>(x(i, j));
            cost += difference * difference / static_cast<double>(x.rows());
        }
    }
    EXPECT_NEAR(squared_bures_distance(a, gaussian_moments(y)), cost, 1e-5 * cost);
}

TEST(Bures, IsALowerBoundOnW2AndZeroForEqualMoments) {
    const Matrix<float> x = cells(60, 4, 2);
    const Matrix<float> y = cells(80, 4, 3, 1.5F);
    const double w2 = popflow::metrics::wasserstein2(x, y);
    EXPECT_LT(squared_bures_distance(gaussian_moments(x), gaussian_moments(y)), w2 * w2);
    EXPECT_NEAR(squared_bures_distance(gaussian_moments(x), gaussian_moments(x)), 0, 1e-12);
}

TEST(Bures, ASingularCovarianceIsAllowed) {
    // 3 cells in 5 dimensions, and one cell.
    const Matrix<float> x = cells(3, 5, 4);
    const Matrix<float> y = cells(1, 5, 5);
    double cost = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 5; ++j) {
            const double difference = static_cast<double>(x(i, j)) - static_cast<double>(y(0, j));
            cost += difference * difference / 3;
        }
    }
    EXPECT_NEAR(squared_bures_distance(gaussian_moments(x), gaussian_moments(y)), cost, 1e-6 * cost);
}

TEST(Bures, RefusesOtherShapesAndValues) {
    EXPECT_THROW(gaussian_moments(Matrix<float>(0, 2)), popflow::core::ShapeMismatch);
    Matrix<float> x(2, 2);
    x(1, 1) = NAN;
    EXPECT_THROW(gaussian_moments(x), popflow::core::NumericalError);
    EXPECT_THROW(squared_bures_distance(gaussian_moments(cells(5, 2, 1)), gaussian_moments(cells(5, 3, 1))),
                 popflow::core::ShapeMismatch);
}
