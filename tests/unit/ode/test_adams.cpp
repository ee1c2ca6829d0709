// SPDX-License-Identifier: MIT
#include "ode/adams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ode/dormand_prince.hpp"
#include "support/periodic_growth.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::linalg::MatrixView;
using popflow::ode::adams;
using popflow::ode::Statistics;
using popflow::test::periodic_growth;

namespace {

// A continuous velocity with kinks, as that of a network of leaky ReLUs. Row i starts at i.
void kinks(std::span<const double> t, ConstMatrixView<double> x, MatrixView<double> v) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        v(i, 0) = 1;
        for (int k = 1; k <= 12; ++k) {
            const double z = std::sin(5.0 * k) + 3 * t[i] - std::cos(3.0 * k) * x(i, 0);
            v(i, 0) += 0.5 * std::cos(7.0 * k) * (z > 0 ? z : 0.01 * z);
        }
    }
}

double adams_error_with_step(double step) {
    Matrix<double> x(1, 1);
    x(0, 0) = 1;
    adams<double>(periodic_growth, {.fixed_step = step}, x.view());
    return std::abs(x(0, 0) - std::exp(std::sin(1.0)));
}

}  // namespace

TEST(Adams, ConvergesWithOrderThree) {
    const double coarse = adams_error_with_step(1.0 / 64);
    const double fine = adams_error_with_step(1.0 / 128);
    EXPECT_NEAR(std::log2(coarse / fine), 3, 0.35);
}

TEST(Adams, NeedsHalfTheVelocitiesOfDormandPrinceIfTheVelocityHasKinks) {
    constexpr std::size_t n = 200;
    Matrix<double> start(n, 1);
    for (std::size_t i = 0; i < n; ++i) start(i, 0) = 0.02 * static_cast<double>(i) - 2;
    Matrix<double> exact = start;
    popflow::ode::dormand_prince<double>(kinks, {.tolerance = 1e-12}, exact.view());
    const auto mean_error = [&](const Matrix<double>& x) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += std::abs(x(i, 0) - exact(i, 0));
        return sum / n;
    };

    Matrix<double> x = start;
    const Statistics reference = popflow::ode::dormand_prince<double>(kinks, {.tolerance = 1e-4}, x.view());
    const double reference_error = mean_error(x);
    x = start;
    const Statistics statistics = adams<double>(kinks, {.tolerance = 1e-3}, x.view());

    EXPECT_LT(mean_error(x), reference_error);
    EXPECT_LT(2 * statistics.evaluations, reference.evaluations);
}

TEST(Adams, TakesOneVelocityAStep) {
    Matrix<double> x(1, 1);
    x(0, 0) = 1;

    const Statistics statistics = adams<double>(periodic_growth, {.fixed_step = 0.25}, x.view());

    EXPECT_EQ(statistics.accepted, 4U);
    EXPECT_EQ(statistics.evaluations, 5U);
}

TEST(Adams, MovesAStraightPathInFewSteps) {
    const auto constant = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = 3;
    };
    Matrix<double> x(1, 1);

    const Statistics statistics = adams<double>(constant, {}, x.view());

    EXPECT_NEAR(x(0, 0), 3, 1e-12);
    EXPECT_LE(statistics.evaluations, 10U);
}
