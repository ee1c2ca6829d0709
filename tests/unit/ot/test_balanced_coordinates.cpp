// SPDX-License-Identifier: MIT
#include "ot/balanced_coordinates.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::ot::BalancedCoordinates;
using popflow::ot::gaussian_moments;
using popflow::support::random_matrix;

namespace {

Matrix<float> stretched_cells(std::size_t n, std::uint64_t key, float first, float shift) {
    Matrix<float> x = random_matrix<float>(n, 3, key);
    for (std::size_t i = 0; i < n; ++i) {
        x(i, 0) = first * x(i, 0) + 0.5F * x(i, 1);
        for (std::size_t k = 0; k < 3; ++k) x(i, k) += shift;
    }
    return x;
}

}  // namespace

TEST(BalancedCoordinates, OfOneMarkerHaveTheProductOfBothDeviations) {
    Matrix<float> x(2, 1);
    x(0, 0) = 1;
    x(1, 0) = 5;  // mean 3, deviation 2
    Matrix<float> y(2, 1);
    y(0, 0) = -8;
    y(1, 0) = 8;  // mean 0, deviation 8
    const BalancedCoordinates found(gaussian_moments(x.view()), gaussian_moments(y.view()));
    EXPECT_NEAR(found.root(0, 0), 2, 1e-4);
    EXPECT_NEAR(found.inverse(0, 0), 0.5, 1e-4);
    EXPECT_NEAR(found.covariance(0, 0), 16, 1e-3);
    EXPECT_NEAR(found.of_source(x.view())(1, 0), 4, 1e-3);
    EXPECT_NEAR(found.of_target(y.view())(1, 0), 4, 1e-3);
    EXPECT_NEAR(found.to_target(found.of_target(y.view()).view())(0, 0), -8, 1e-5);
}

TEST(BalancedCoordinates, GiveBothPopulationsMeanZeroAndOneCovariance) {
    const Matrix<float> x = stretched_cells(400, 1, 3, 5);
    const Matrix<float> y = stretched_cells(300, 2, 0.2F, -1);
    const BalancedCoordinates coordinates(gaussian_moments(x.view()), gaussian_moments(y.view()));
    const auto u = gaussian_moments(coordinates.of_source(x.view()).view());
    const auto v = gaussian_moments(coordinates.of_target(y.view()).view());
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(u.mean[k], 0, 1e-5);
        EXPECT_NEAR(v.mean[k], 0, 1e-5);
        for (std::size_t l = 0; l < 3; ++l) {
            EXPECT_NEAR(u.covariance(k, l), coordinates.covariance(k, l), 1e-4);
            EXPECT_NEAR(v.covariance(k, l), coordinates.covariance(k, l), 1e-4);
        }
    }
}

TEST(BalancedCoordinates, KeepTheProductsOfCentredCells) {
    const Matrix<float> x = stretched_cells(50, 1, 3, 5);
    const Matrix<float> y = stretched_cells(60, 2, 0.2F, -1);
    const BalancedCoordinates coordinates(gaussian_moments(x.view()), gaussian_moments(y.view()));
    const Matrix<float> u = coordinates.of_source(x.view());
    const Matrix<float> v = coordinates.of_target(y.view());
    double before = 0;
    double after = 0;
    for (std::size_t k = 0; k < 3; ++k) {
        before += (static_cast<double>(x(4, k)) - coordinates.source_mean[k]) *
                  (static_cast<double>(y(9, k)) - coordinates.target_mean[k]);
        after += static_cast<double>(u(4, k)) * static_cast<double>(v(9, k));
    }
    EXPECT_NEAR(after, before, 1e-4);
}

TEST(BalancedCoordinates, OfCellsAsTheyAreDoNothing) {
    const Matrix<float> x = stretched_cells(5, 1, 3, 5);
    const BalancedCoordinates coordinates = BalancedCoordinates::original(3);
    const Matrix<float> u = coordinates.of_source(x.view());
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(u.values()[i], x.values()[i]);
}

TEST(BalancedCoordinates, ThrowForPopulationsThatDoNotVary) {
    const Matrix<float> x(4, 2);
    EXPECT_THROW(BalancedCoordinates(gaussian_moments(x.view()), gaussian_moments(x.view())),
                 popflow::core::NumericalError);
}
