// SPDX-License-Identifier: MIT
#include "simulate/superquadric.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/kolmogorov_smirnov.hpp"

namespace simulate = popflow::simulate;
using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::support::ks_limit;
using popflow::support::scaled_ks;
using popflow::support::uniform_cdf;
using simulate::Superquadric;

namespace {

using Point = std::array<double, 3>;
constexpr double pi = std::numbers::pi;

// Value of the norm of the shape, straight from its formula.
double norm_by_formula(const Superquadric& shape, const Point& x) {
    const double q = 2 / shape.exponents[0];
    const double p = 2 / shape.exponents[1];
    const double planar =
        std::pow(std::abs(x[0]) / shape.axes[0], p) + std::pow(std::abs(x[1]) / shape.axes[1], p);
    return std::pow(std::pow(planar, q / p) + std::pow(std::abs(x[2]) / shape.axes[2], q), 1 / q);
}

std::vector<Point> draw_points(const Superquadric& shape, std::size_t n) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < n; ++i) {
        Stream stream(7, Purpose::test, i);
        points.push_back(simulate::draw_surface_point(shape, stream));
    }
    return points;
}

// Cells into which the positive octant of a surface is divided: by the angle about the z axis and by height.
constexpr std::size_t angles = 4;
constexpr std::size_t heights = 5;

std::size_t patch_of(const Superquadric& shape, const Point& x) {
    const double angle = std::atan2(std::abs(x[1]), std::abs(x[0])) / (pi / 2);
    const double height = std::abs(x[2]) / shape.axes[2];
    return std::min<std::size_t>(angles - 1, static_cast<std::size_t>(angle * angles)) * heights +
           std::min<std::size_t>(heights - 1, static_cast<std::size_t>(height * heights));
}

// Area of each patch, from a triangulation of the octant. It projects a grid of directions onto the surface.
std::vector<double> patch_areas(const Superquadric& shape) {
    constexpr int steps = 600;
    const auto vertex = [&](int i, int j) {
        const Point u{static_cast<double>(i), static_cast<double>(j), static_cast<double>(steps - i - j)};
        const double g = norm_by_formula(shape, u);
        return Point{u[0] / g, u[1] / g, u[2] / g};
    };
    std::vector<double> areas(angles * heights, 0.0);
    const auto add = [&](const Point& a, const Point& b, const Point& c) {
        Point ab{};
        Point ac{};
        Point centre{};
        for (std::size_t k = 0; k < 3; ++k) {
            ab[k] = b[k] - a[k];
            ac[k] = c[k] - a[k];
            centre[k] = (a[k] + b[k] + c[k]) / 3;
        }
        areas[patch_of(shape, centre)] +=
            std::hypot(ab[1] * ac[2] - ab[2] * ac[1], ab[2] * ac[0] - ab[0] * ac[2],
                       ab[0] * ac[1] - ab[1] * ac[0]) /
            2;
    };
    for (int i = 0; i < steps; ++i) {
        for (int j = 0; i + j < steps; ++j) {
            add(vertex(i, j), vertex(i + 1, j), vertex(i, j + 1));
            if (i + j + 2 <= steps) add(vertex(i + 1, j), vertex(i + 1, j + 1), vertex(i, j + 1));
        }
    }
    return areas;
}

}  // namespace

TEST(Superquadric, NormAndGradientFollowTheFormula) {
    for (const Superquadric& shape :
         {Superquadric{{0.5, 0.9, 0.7}, {0.4, 1.5}}, Superquadric{{1, 0.4, 0.6}, {2, 0.2}},
          Superquadric{{0.4, 0.8, 1}, {1, 1}}, Superquadric{{0.7, 0.8, 1}, {1.7, 2}}}) {
        for (const Point& x : {Point{0.3, -0.5, 0.2}, Point{-1, 0.1, -0.4}, Point{0.02, 0.9, 2}}) {
            Point gradient{};
            EXPECT_NEAR(shape.norm(x, gradient), norm_by_formula(shape, x), 1e-13);
            for (std::size_t k = 0; k < 3; ++k) {
                Point above = x;
                Point below = x;
                above[k] += 1e-6;
                below[k] -= 1e-6;
                EXPECT_NEAR(gradient[k],
                            (norm_by_formula(shape, above) - norm_by_formula(shape, below)) / 2e-6, 1e-7);
            }
        }
    }
}

TEST(Superquadric, GradientIsFiniteOnTheAxes) {
    for (const double exponent : {0.2, 1.0, 2.0}) {
        const Superquadric shape{{0.5, 1, 0.8}, {exponent, exponent}};
        for (std::size_t k = 0; k < 3; ++k) {
            Point x{};
            x[k] = 2;
            Point gradient{};
            EXPECT_DOUBLE_EQ(shape.norm(x, gradient), 2 / shape.axes[k]);
            EXPECT_DOUBLE_EQ(gradient[k], 1 / shape.axes[k]);
            for (const double slope : gradient) EXPECT_TRUE(std::isfinite(slope));
        }
    }
}

TEST(Superquadric, PointsAreOnTheSurfaceAndInEveryOctant) {
    const Superquadric shape{{0.5, 0.9, 0.7}, {0.4, 1.5}};
    std::array<double, 8> octants{};
    constexpr std::size_t n = 16000;
    for (const Point& x : draw_points(shape, n)) {
        ASSERT_NEAR(norm_by_formula(shape, x), 1, 1e-12);
        octants[(x[0] > 0 ? 1U : 0U) + (x[1] > 0 ? 2U : 0U) + (x[2] > 0 ? 4U : 0U)] += 1;
    }
    // Five standard errors of a binomial count.
    for (const double count : octants) EXPECT_NEAR(count, n / 8.0, 5 * std::sqrt(n * 7 / 64.0));
}

TEST(Superquadric, HeightOnASphereIsUniform) {
    std::vector<double> height;
    for (const Point& x : draw_points({{0.6, 0.6, 0.6}, {1, 1}}, 20000)) height.push_back(x[2]);
    EXPECT_LT(scaled_ks(height, [](double v) { return uniform_cdf(v, -0.6, 0.6); }), ks_limit);
}

TEST(Superquadric, PointsOnAnOctahedronAreUniformOnItsFaces) {
    // |x| / a, |y| / b and |z| / c are Dirichlet(1, 1, 1), so each of them has the density 2 (1 - v).
    const Superquadric shape{{0.4, 0.7, 1}, {2, 2}};
    const std::vector<Point> points = draw_points(shape, 20000);
    for (std::size_t k = 0; k < 3; ++k) {
        std::vector<double> share;
        for (const Point& x : points) share.push_back(std::abs(x[k]) / shape.axes[k]);
        EXPECT_LT(scaled_ks(share, [](double v) { return 1 - (1 - v) * (1 - v); }), ks_limit) << k;
    }
}

TEST(Superquadric, PointsAreUniformByArea) {
    // Chi-square over 20 patches of the octant. The limit has the probability 0.001.
    constexpr double limit = 43.82;
    for (const Superquadric& shape :
         {Superquadric{{0.5, 0.9, 0.7}, {0.2, 0.2}}, Superquadric{{0.4, 0.4, 1}, {1, 1}},
          Superquadric{{1, 0.5, 0.4}, {0.5, 1.4}}, Superquadric{{0.6, 1, 0.8}, {1.8, 0.3}},
          Superquadric{{0.4, 1, 1}, {0.2, 2}}}) {
        const std::vector<double> areas = patch_areas(shape);
        double whole = 0;
        for (const double area : areas) whole += area;
        constexpr std::size_t n = 20000;
        std::vector<double> counts(areas.size(), 0.0);
        for (const Point& x : draw_points(shape, n)) counts[patch_of(shape, x)] += 1;
        double statistic = 0;
        for (std::size_t k = 0; k < areas.size(); ++k) {
            const double expected = n * areas[k] / whole;
            ASSERT_GT(expected, 20);
            statistic += (counts[k] - expected) * (counts[k] - expected) / expected;
        }
        EXPECT_LT(statistic, limit) << shape.exponents[0] << ' ' << shape.exponents[1];
    }
}

TEST(Superquadrics, ParametersHaveTheirLaw) {
    const simulate::ShapeLaw law = simulate::make_superquadrics({.family = "superquadrics", .treatments = 1});
    std::vector<std::vector<double>> columns(6);
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::vector<double> p = law.draw_parameters({.number = i});
        ASSERT_EQ(p.size(), 6U);
        for (std::size_t k = 0; k < 6; ++k) columns[k].push_back(p[k]);
    }
    const double high[] = {1, 1, 1, 2, 2, 2 * pi};
    const double low[] = {0.4, 0.4, 0.4, 0.2, 0.2, 0};
    for (std::size_t k = 0; k < 6; ++k)
        EXPECT_LT(scaled_ks(columns[k], [&](double v) { return uniform_cdf(v, low[k], high[k]); }), ks_limit)
            << law.parameters[k];
}

TEST(Superquadrics, YawTurnsAboutTheZAxis) {
    const simulate::ShapeLaw law = simulate::make_superquadrics({.family = "superquadrics", .treatments = 1});
    const Superquadric shape{{0.5, 0.9, 0.7}, {0.4, 1.5}};
    const double yaw = 0.8;
    const simulate::CellSampler draw = law.sampler({}, std::vector<double>{0.5, 0.9, 0.7, 0.4, 1.5, yaw});
    for (std::size_t i = 0; i < 100; ++i) {
        Stream stream(1, Purpose::test, i);
        Point x{};
        draw(stream, x);
        const Point back{std::cos(yaw) * x[0] + std::sin(yaw) * x[1],
                         -std::sin(yaw) * x[0] + std::cos(yaw) * x[1], x[2]};
        EXPECT_NEAR(norm_by_formula(shape, back), 1, 1e-12);
    }
}
