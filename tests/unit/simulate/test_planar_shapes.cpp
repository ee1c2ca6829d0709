// SPDX-License-Identifier: MIT
#include "simulate/planar_shapes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/kolmogorov_smirnov.hpp"

namespace simulate = popflow::simulate;
using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::support::ks_limit;
using popflow::support::normal_cdf;
using popflow::support::scaled_ks;
using popflow::support::uniform_cdf;
using simulate::ShapeLaw;
using simulate::ShapesOptions;

namespace {

constexpr double pi = std::numbers::pi;

// Parameters of many populations of a treatment: one vector per parameter.
std::vector<std::vector<double>> draw_parameters(const ShapeLaw& law, std::size_t n,
                                                 std::size_t treatment = 0) {
    std::vector<std::vector<double>> columns(law.parameters.size());
    for (std::size_t i = 0; i < n; ++i) {
        const std::vector<double> p = law.draw_parameters({.treatment = treatment, .number = i});
        EXPECT_EQ(p.size(), columns.size());
        for (std::size_t k = 0; k < columns.size(); ++k) columns[k].push_back(p[k]);
    }
    return columns;
}

double ks_uniform(const std::vector<double>& x, double low, double high) {
    return scaled_ks(x, [=](double v) { return uniform_cdf(v, low, high); });
}

std::vector<std::array<double, 2>> draw_points(const ShapeLaw& law, const std::vector<double>& parameters,
                                               std::size_t n) {
    const simulate::CellSampler draw = law.sampler({}, parameters);
    std::vector<std::array<double, 2>> points(n);
    for (std::size_t i = 0; i < n; ++i) {
        Stream stream(3, Purpose::test, i);
        EXPECT_EQ(draw(stream, points[i]), 0U);
    }
    return points;
}

// Compares the mean and the covariance of points with expected ones. The tolerance is five standard errors.
void expect_moments(const std::vector<std::array<double, 2>>& points, const std::array<double, 2>& mean,
                    const std::array<std::array<double, 2>, 2>& covariance) {
    const auto n = static_cast<double>(points.size());
    for (std::size_t j = 0; j < 2; ++j) {
        double found = 0;
        for (const auto& point : points) found += point[j] / n;
        EXPECT_NEAR(found, mean[j], 5 * std::sqrt(covariance[j][j] / n)) << j;
        for (std::size_t k = 0; k <= j; ++k) {
            double product = 0;
            double square = 0;
            for (const auto& point : points) {
                const double value = (point[j] - mean[j]) * (point[k] - mean[k]);
                product += value / n;
                square += value * value / n;
            }
            EXPECT_NEAR(product, covariance[j][k], 5 * std::sqrt((square - product * product) / n)) << j << k;
        }
    }
}

}  // namespace

TEST(Spiral, ParametersHaveTheirLaw) {
    const ShapeLaw law = simulate::make_spiral({.family = "spiral", .treatments = 1});
    const auto columns = draw_parameters(law, 2000);
    EXPECT_LT(ks_uniform(columns[0], 0.05, 1), ks_limit);
    for (std::size_t i = 0; i < 2000; ++i) {
        const double radius = std::sqrt(columns[0][i]);
        ASSERT_NEAR(columns[1][i], radius, 1e-15);
        ASSERT_NEAR(columns[2][i], 2 * pi * radius, 1e-14);
        ASSERT_NEAR(columns[3][i], radius * std::cos(2 * pi * radius), 1e-14);
        ASSERT_NEAR(columns[4][i], radius * std::sin(2 * pi * radius), 1e-14);
    }
}

TEST(Spiral, CellsAreAGaussianThatPointsToTheCentre) {
    const ShapeLaw law = simulate::make_spiral({.family = "spiral", .treatments = 1});
    const double angle = 0.6;
    const double mean[] = {2 * std::cos(angle), 2 * std::sin(angle)};
    const auto points = draw_points(law, {0, 2, angle, mean[0], mean[1]}, 40000);
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    expect_moments(
        points, {mean[0], mean[1]},
        {{{0.009 * c * c + 0.001 * s * s, 0.008 * c * s}, {0.008 * c * s, 0.009 * s * s + 0.001 * c * c}}});
    std::vector<double> along;
    for (const auto& point : points) along.push_back((point[0] - mean[0]) * c + (point[1] - mean[1]) * s);
    EXPECT_LT(scaled_ks(along, [](double v) { return normal_cdf(v, std::sqrt(0.009)); }), ks_limit);
}

TEST(Rings, ParametersHaveTheirLaw) {
    const ShapeLaw law = simulate::make_rings({.seed = 5, .family = "rings", .treatments = 1});
    const auto columns = draw_parameters(law, 2000);
    EXPECT_LT(ks_uniform(columns[0], 0.5, 1.5), ks_limit);
    EXPECT_LT(ks_uniform(columns[1], 0, 0.6), ks_limit);
    EXPECT_LT(ks_uniform(columns[2], 0, pi), ks_limit);
    for (const std::size_t k : {3U, 4U})
        EXPECT_LT(scaled_ks(columns[k], [](double v) { return normal_cdf(v, 0.5); }), ks_limit);
}

TEST(Rings, CellsHaveTheMomentsOfANoisyEllipse) {
    const ShapeLaw law = simulate::make_rings({.family = "rings", .treatments = 1});
    const double r = 1.2;
    const double f = 0.4;
    const double direction = 2;
    const auto points = draw_points(law, {r, f, direction, 0.3, -0.7}, 40000);
    const double c = std::cos(direction);
    const double s = std::sin(direction);
    const double a = r * r / 2;
    const double b = a * (1 - f) * (1 - f);
    const double noise = 0.0025;
    expect_moments(points, {0.3, -0.7},
                   {{{a * c * c + b * s * s + noise, (a - b) * c * s},
                     {(a - b) * c * s, a * s * s + b * c * c + noise}}});
}

TEST(Rings, AngleOfACircleIsUniformAndItsNoiseNormal) {
    const ShapeLaw law = simulate::make_rings({.family = "rings", .treatments = 1});
    // The noise is 0.05 of the radius of a huge circle, so that its direction is along the radius.
    const auto points = draw_points(law, {1e6, 0, 0.3, 0, 0}, 20000);
    std::vector<double> angle;
    std::vector<double> noise;
    for (const auto& point : points) {
        angle.push_back(std::atan2(point[1], point[0]));
        noise.push_back(std::hypot(point[0], point[1]) - 1e6);
    }
    EXPECT_LT(ks_uniform(angle, -pi, pi), ks_limit);
    EXPECT_LT(scaled_ks(noise, [](double v) { return normal_cdf(v, 0.05); }), ks_limit);
}

TEST(PlanarShapes, TreatmentsShareTheRangeOfOneParameter) {
    const ShapesOptions options{.family = "rings", .treatments = 4};
    const ShapeLaw law = simulate::make_rings(options);
    EXPECT_EQ(law.treatments, (std::vector<std::string>{"rings_1", "rings_2", "rings_3", "rings_4"}));
    std::vector<double> all;
    for (std::size_t t = 0; t < 4; ++t) {
        const auto columns = draw_parameters(law, 500, t);
        const double low = 0.5 + 0.25 * static_cast<double>(t);
        EXPECT_LT(ks_uniform(columns[0], low, low + 0.25), ks_limit);
        EXPECT_LT(ks_uniform(columns[1], 0, 0.6), ks_limit);
        all.insert(all.end(), columns[0].begin(), columns[0].end());
    }
    EXPECT_LT(ks_uniform(all, 0.5, 1.5), ks_limit);
    EXPECT_EQ(simulate::make_spiral({.family = "spiral", .treatments = 1}).treatments,
              std::vector<std::string>{"spiral"});
}
