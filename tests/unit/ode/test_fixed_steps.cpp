// SPDX-License-Identifier: MIT
#include "ode/fixed_steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "ode/integrate.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::linalg::MatrixView;
namespace ode = popflow::ode;

namespace {

// dx/dt = x
void growth(std::span<const double> /*t*/, ConstMatrixView<double> x, MatrixView<double> v) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) v(i, j) = x(i, j);
    }
}

Matrix<double> start() {
    Matrix<double> x(2, 1);
    x(0, 0) = 1;
    x(1, 0) = -3;
    return x;
}

}  // namespace

TEST(FixedSteps, EulerMultipliesByOnePlusTheStep) {
    for (const std::size_t steps : {std::size_t{1}, std::size_t{4}}) {
        Matrix<double> x = start();
        const ode::Statistics statistics =
            ode::fixed_steps<double>(growth, {ode::FixedMethod::euler, steps}, x.view());
        const double factor = std::pow(1 + 1 / static_cast<double>(steps), static_cast<double>(steps));
        EXPECT_NEAR(x(0, 0), factor, 1e-14);
        EXPECT_NEAR(x(1, 0), -3 * factor, 1e-14);
        EXPECT_EQ(statistics.evaluations, 2 * steps);
        EXPECT_EQ(statistics.accepted, 2 * steps);
    }
}

TEST(FixedSteps, MidpointIsOfOrderTwo) {
    Matrix<double> x = start();
    const ode::Statistics statistics =
        ode::fixed_steps<double>(growth, {ode::FixedMethod::midpoint, 3}, x.view());
    const double h = 1.0 / 3;
    EXPECT_NEAR(x(0, 0), std::pow(1 + h + h * h / 2, 3), 1e-14);
    EXPECT_EQ(statistics.evaluations, 12U);
}

// dx/dt = 2 t: the midpoint of each step gives its exact increment, Euler's method that of its start.
TEST(FixedSteps, PassesTheTimeOfTheVelocity) {
    const auto field = [](std::span<const double> t, ConstMatrixView<double>, MatrixView<double> v) {
        v(0, 0) = 2 * t[0];
    };
    Matrix<double> x(1, 1);
    ode::fixed_steps<double>(field, {ode::FixedMethod::midpoint, 4}, x.view());
    EXPECT_NEAR(x(0, 0), 1, 1e-14);
    x.fill(0);
    ode::fixed_steps<double>(field, {ode::FixedMethod::euler, 4}, x.view());
    EXPECT_NEAR(x(0, 0), 0.75, 1e-14);
}

TEST(FixedSteps, SnapshotsLieOnTheLineOfTheirStep) {
    Matrix<double> x = start();
    std::vector<Matrix<double>> states(4, Matrix<double>(2, 1));
    ode::Snapshots<double> snapshots{{0, 0.25, 0.5, 1}, {}};
    for (Matrix<double>& one : states) snapshots.x.push_back(one.view());
    ode::fixed_steps<double>(growth, {ode::FixedMethod::euler, 2}, x.view(), snapshots);
    const double expected[] = {1, 1.25, 1.5, 2.25};
    for (std::size_t s = 0; s < 4; ++s) EXPECT_NEAR(states[s](0, 0), expected[s], 1e-14);
    EXPECT_EQ(states[3](1, 0), x(1, 0));
}

TEST(FixedSteps, WithoutStepsIntegrateIsAdaptive) {
    Matrix<double> x = start();
    ode::integrate<double>(growth, {.tolerance = 1e-8}, {}, x.view());
    EXPECT_NEAR(x(0, 0), std::exp(1.0), 1e-6);
    x = start();
    ode::integrate<double>(growth, {}, {ode::FixedMethod::euler, 1}, x.view());
    EXPECT_EQ(x(0, 0), 2);
}

TEST(FixedSteps, RejectsBadInput) {
    Matrix<double> x = start();
    Matrix<double> state(2, 1);
    Matrix<double> wide(2, 2);
    const ode::FixedSteps one{ode::FixedMethod::euler, 1};
    EXPECT_THROW(ode::fixed_steps<double>(growth, one, x.view(), {{1.5}, {state.view()}}),
                 popflow::core::Error);
    EXPECT_THROW(ode::fixed_steps<double>(growth, one, x.view(), {{0.5}, {wide.view()}}),
                 popflow::core::ShapeMismatch);
    x(0, 0) = std::numeric_limits<double>::infinity();
    EXPECT_THROW(ode::fixed_steps<double>(growth, one, x.view()), popflow::core::NumericalError);
}
