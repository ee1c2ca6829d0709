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

namespace {

// Returns A B for square matrices.
Matrix<double> product(const Matrix<double>& a, const Matrix<double>& b) {
    Matrix<double> c(a.rows(), a.rows());
    for (std::size_t i = 0; i < a.rows(); ++i) {
        for (std::size_t k = 0; k < a.rows(); ++k) {
            for (std::size_t j = 0; j < a.rows(); ++j) c(i, j) += a(i, k) * b(k, j);
        }
    }
    return c;
}

double largest_difference(const Matrix<double>& a, const Matrix<double>& b) {
    double largest = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
        largest = std::max(largest, std::abs(a.values()[k] - b.values()[k]));
    return largest;
}

double trace(const Matrix<double>& a) {
    double sum = 0;
    for (std::size_t j = 0; j < a.rows(); ++j) sum += a(j, j);
    return sum;
}

}  // namespace

TEST(GaussianMap, CarriesOneCovarianceToTheOther) {
    for (const std::size_t d : {1, 2, 5, 20}) {
        const GaussianMoments a = gaussian_moments(cells(200, d, 1));
        const GaussianMoments b = gaussian_moments(cells(200, d, 2, 3));
        const Matrix<double> map = popflow::ot::gaussian_map(a, b);
        EXPECT_LT(largest_difference(product(product(map, a.covariance), map), b.covariance), 1e-10);
    }
}

TEST(Geodesic, HasTheSpeedOfTheDistance) {
    for (const std::size_t d : {1, 2, 8}) {
        const GaussianMoments a = gaussian_moments(cells(200, d, 1));
        const GaussianMoments b = gaussian_moments(cells(200, d, 2, 3));
        const double distance = squared_bures_distance(a, b);
        const Matrix<double> map = popflow::ot::gaussian_map(a, b);
        for (const double t : {0.0, 0.3, 0.9}) {
            const popflow::ot::GeodesicPoint point = popflow::ot::geodesic_point(a, b, map, t);
            double norm = trace(product(product(point.velocity, point.covariance), point.velocity));
            for (const double v : point.mean_velocity) norm += v * v;
            EXPECT_NEAR(norm, distance, 1e-11 * distance);
            GaussianMoments middle{point.mean, point.covariance, {}};
            middle.root = popflow::ot::symmetric_root(middle.covariance);
            EXPECT_NEAR(std::sqrt(squared_bures_distance(a, middle)), t * std::sqrt(distance), 1e-6);
        }
    }
}

TEST(Geodesic, EndsAtTheSecondGaussian) {
    const GaussianMoments a = gaussian_moments(cells(200, 4, 1));
    const GaussianMoments b = gaussian_moments(cells(200, 4, 2, 3));
    const popflow::ot::GeodesicPoint end =
        popflow::ot::geodesic_point(a, b, popflow::ot::gaussian_map(a, b), 1);
    EXPECT_LT(largest_difference(end.covariance, b.covariance), 1e-11);
}

TEST(BuresMatrix, AgreesWithTheDistance) {
    for (const std::size_t d : {1, 2, 6}) {
        std::vector<GaussianMoments> all;
        for (std::uint64_t p = 0; p < 4; ++p)
            all.push_back(gaussian_moments(cells(50, d, p, 1 + static_cast<float>(p))));
        const std::vector<const GaussianMoments*> pointers{&all[0], &all[1], &all[2], &all[3]};
        const Matrix<double> distances = popflow::ot::squared_bures_matrix(pointers, pointers);
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < 4; ++j)
                EXPECT_NEAR(distances(i, j), squared_bures_distance(all[i], all[j]), 2e-6);
        }
    }
}

// For covariances that commute the root of the barycentre is the mean of the roots.
TEST(Barycentre, OfCommutingCovariancesIsTheMeanOfTheirRoots) {
    std::vector<GaussianMoments> all;
    for (const double s : {1.0, 2.0, 6.0}) {
        GaussianMoments one{{s, 0}, Matrix<double>(2, 2), Matrix<double>(2, 2)};
        one.covariance(0, 0) = s * s;
        one.covariance(1, 1) = 4 * s * s;
        one.root(0, 0) = s;
        one.root(1, 1) = 2 * s;
        all.push_back(one);
    }
    const GaussianMoments centre = popflow::ot::bures_barycentre(all);
    EXPECT_NEAR(centre.mean[0], 3, 1e-14);
    EXPECT_NEAR(centre.root(0, 0), 3, 1e-8);
    EXPECT_NEAR(centre.root(1, 1), 6, 1e-8);
    EXPECT_NEAR(centre.root(0, 1), 0, 1e-12);
}

// The barycentre is stationary: the mean of the optimal maps from it is the identity.
TEST(Barycentre, HasOptimalMapsThatAverageToTheIdentity) {
    std::vector<GaussianMoments> all;
    for (std::uint64_t p = 0; p < 100; ++p) all.push_back(gaussian_moments(cells(30, 3, p)));
    const GaussianMoments centre = popflow::ot::bures_barycentre(all);
    Matrix<double> mean(3, 3);
    for (const GaussianMoments& one : all) {
        const Matrix<double> map = popflow::ot::gaussian_map(centre, one);
        for (std::size_t k = 0; k < 9; ++k) mean.values()[k] += map.values()[k] / 100;
    }
    Matrix<double> identity(3, 3);
    for (std::size_t j = 0; j < 3; ++j) identity(j, j) = 1;
    EXPECT_LT(largest_difference(mean, identity), 1e-6);
}

TEST(CholeskyFactor, MultipliesToTheMatrix) {
    const GaussianMoments moments = gaussian_moments(cells(3, 5, 1));  // has rank 2
    const Matrix<double> factor = popflow::ot::cholesky_factor(moments.covariance);
    Matrix<double> transposed(5, 5);
    for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t k = 0; k < 5; ++k) transposed(j, k) = factor(k, j);
    }
    EXPECT_LT(largest_difference(product(factor, transposed), moments.covariance), 1e-6);
    EXPECT_EQ(factor(0, 1), 0);
}
