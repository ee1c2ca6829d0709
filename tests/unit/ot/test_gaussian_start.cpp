// SPDX-License-Identifier: MIT
#include "ot/gaussian_start.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/matrix.hpp"

using popflow::linalg::Matrix;
using popflow::ot::gaussian_moments;

namespace {

// Four points with mean m and diagonal covariance, for which sum w (x - m)^2 / (1 - sum w^2) = variance.
Matrix<double> cross(double mx, double my, double variance_x, double variance_y) {
    Matrix<double> x(4, 2);
    const double rx = std::sqrt(1.5 * variance_x);
    const double ry = std::sqrt(1.5 * variance_y);
    const double points[4][2] = {{mx + rx, my}, {mx - rx, my}, {mx, my + ry}, {mx, my - ry}};
    for (std::size_t i = 0; i < 4; ++i) {
        x(i, 0) = points[i][0];
        x(i, 1) = points[i][1];
    }
    return x;
}

std::vector<double> gaussian_potential(const Matrix<double>& x, const std::vector<double>& a,
                                       const Matrix<double>& y, const std::vector<double>& b) {
    return popflow::ot::gaussian_potential(x.view(), a, gaussian_moments(x.view(), a),
                                           gaussian_moments(y.view(), b));
}

}  // namespace

TEST(GaussianMoments, AreTheUnbiasedMomentsOfWeightedPoints) {
    Matrix<double> x(3, 2);
    const double points[3][2] = {{0, 1}, {2, 1}, {4, 5}};
    for (std::size_t i = 0; i < 3; ++i) std::copy(points[i], points[i] + 2, x.view().row(i));
    const auto moments = gaussian_moments(x.view(), std::vector<double>{0.5, 0.25, 0.25});
    EXPECT_EQ(moments.mean, (std::vector<double>{1.5, 2}));
    // numpy.cov(x, rowvar=False, aweights=[0.5, 0.25, 0.25])
    EXPECT_NEAR(moments.covariance(0, 0), 4.4, 1e-14);
    EXPECT_NEAR(moments.covariance(0, 1), 4.0, 1e-14);
    EXPECT_NEAR(moments.covariance(1, 0), 4.0, 1e-14);
    EXPECT_NEAR(moments.covariance(1, 1), 4.8, 1e-14);
}

TEST(GaussianPotential, HasTheGradientOfTheMapBetweenDiagonalGaussians) {
    const Matrix<double> x = cross(1, -2, 1, 4);
    const Matrix<double> y = cross(3, 0.5, 9, 1);
    const std::vector<double> w(4, 0.25);
    const std::vector<double> f = gaussian_potential(x, w, y, w);

    // T(x) = m' + diag(3, 1/2) (x - m) and grad f = 2 (x - T(x)). f is quadratic, so that differences between
    // opposite points follow from the gradient at their midpoint, the mean: 2 (m - m').
    const double rx = std::sqrt(1.5);
    const double ry = std::sqrt(6.0);
    EXPECT_NEAR(f[0] - f[1], 2 * rx * 2 * (1 - 3), 1e-12);
    EXPECT_NEAR(f[2] - f[3], 2 * ry * 2 * (-2 - 0.5), 1e-12);
    // f(m + r e) + f(m - r e) - 2 f(m) = 2 r^2 (1 - A_ee).
    const double bend_x = 2 * rx * rx * (1 - 3);
    const double bend_y = 2 * ry * ry * (1 - 0.5);
    EXPECT_NEAR((f[0] + f[1]) - (f[2] + f[3]), bend_x - bend_y, 1e-12);
    EXPECT_NEAR(f[0] + f[1] + f[2] + f[3], 0, 1e-12);
}

TEST(GaussianPotential, IsFiniteForPointsOnALine) {
    Matrix<double> x(3, 2);
    for (std::size_t i = 0; i < 3; ++i) x(i, 0) = static_cast<double>(i);
    const Matrix<double> y = cross(0, 0, 1, 1);
    const std::vector<double> a{0.2, 0.3, 0.5};
    const std::vector<double> b(4, 0.25);
    for (const double f : gaussian_potential(x, a, y, b)) EXPECT_TRUE(std::isfinite(f));
}

TEST(GaussianPotential, RefusesPointsOfDifferentDimensions) {
    const Matrix<double> x(3, 2);
    const Matrix<double> y(4, 3);
    EXPECT_THROW(gaussian_potential(x, std::vector<double>(3, 1.0 / 3), y, std::vector<double>(4, 0.25)),
                 popflow::core::ShapeMismatch);
}
