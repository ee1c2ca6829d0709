// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ode/integrate.hpp"
#include "support/periodic_growth.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::linalg::MatrixView;
using popflow::ode::integrate;
using popflow::ode::Method;
using popflow::ode::Options;
using popflow::ode::Snapshots;
using popflow::test::periodic_growth;

namespace {

/// Requirements of every method with step size control.
class StepControl : public testing::TestWithParam<Method> {
  protected:
    static Options with_tolerance(double tolerance) { return {.method = GetParam(), .tolerance = tolerance}; }
};

}  // namespace

TEST_P(StepControl, KeepsItsTolerance) {
    for (const double tolerance : {1e-3, 1e-5, 1e-8}) {
        Matrix<double> x(3, 2);
        x.fill(2.0);

        integrate<double>(periodic_growth, with_tolerance(tolerance), x.view());

        EXPECT_NEAR(x(1, 1), 2 * std::exp(std::sin(1.0)), 10 * tolerance * 4.7);
    }
}

TEST_P(StepControl, ReturnsToTheStartAfterAFullRotation) {
    // A full rotation in unit time: x(1) = x(0).
    const auto rotation = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        const double speed = 2 * 3.14159265358979323846;
        for (std::size_t i = 0; i < x.rows; ++i) {
            v(i, 0) = -speed * x(i, 1);
            v(i, 1) = speed * x(i, 0);
        }
    };
    Matrix<double> x(1, 2);
    x(0, 0) = 1;

    integrate<double>(rotation, with_tolerance(1e-9), x.view());

    EXPECT_NEAR(x(0, 0), 1, 1e-6);
    EXPECT_NEAR(x(0, 1), 0, 1e-6);
}

TEST_P(StepControl, ResultOfACellDoesNotDependOnOtherCells) {
    // A field whose stiffness differs between cells.
    const auto field = [](std::span<const double> t, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i)
            v(i, 0) = x(i, 1) * std::sin(9 * t[i] + x(i, 0)), v(i, 1) = 0;
    };
    Matrix<double> population(4, 2);
    for (std::size_t i = 0; i < 4; ++i) population(i, 1) = std::pow(10.0, static_cast<double>(i) - 1);
    Matrix<double> single(1, 2);
    single(0, 1) = population(2, 1);

    integrate<double>(field, with_tolerance(1e-4), population.view());
    integrate<double>(field, with_tolerance(1e-4), single.view());

    EXPECT_EQ(population(2, 0), single(0, 0));
}

TEST_P(StepControl, ThrowsIfACellDiverges) {
    const auto explosion = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = x(i, 0) * x(i, 0);
    };
    const auto undefined = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = std::nan("");
    };
    Matrix<double> x(1, 1);
    x(0, 0) = 2;  // infinite at t = 1/2
    EXPECT_THROW(integrate<double>(explosion, with_tolerance(1e-4), x.view()), popflow::core::NumericalError);
    EXPECT_THROW(integrate<double>(undefined, with_tolerance(1e-4), x.view()), popflow::core::NumericalError);
}

TEST_P(StepControl, SolvesAStiffFieldAndLimitsItsVelocities) {
    const auto decay = [](std::span<const double> t, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = -2000 * (x(i, 0) - std::sin(3 * t[i]));
    };
    Matrix<double> x(1, 1);
    x(0, 0) = 1;

    integrate<double>(decay, with_tolerance(1e-4), x.view());

    // x(t) = Im(L e^3it / (L + 3i)) + a transient that ends early.
    EXPECT_NEAR(x(0, 0), 2000 * (2000 * std::sin(3.0) - 3 * std::cos(3.0)) / (2000.0 * 2000 + 9), 1e-4);
    Options options = with_tolerance(1e-4);
    options.max_velocities = 600;
    EXPECT_THROW(integrate<double>(decay, options, x.view()), popflow::core::NumericalError);
}

TEST_P(StepControl, SnapshotsAgreeWithTheSolution) {
    for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
        const Options options = with_tolerance(tolerance);
        // The tolerance bounds the error of a step. There are at most 200 steps, whose errors partly cancel.
        const double bound = 30 * tolerance;
        Matrix<double> plain(2, 2);
        plain.fill(2.0);
        Matrix<double> x = plain;
        integrate<double>(periodic_growth, options, plain.view());
        const std::vector<double> times{0, 0.001, 0.25, 0.5, 0.6180339887, 1};
        std::vector<Matrix<double>> at(times.size(), Matrix<double>(2, 2));
        Snapshots<double> snapshots{times};
        for (auto& m : at) snapshots.x.push_back(m.view());

        integrate<double>(periodic_growth, options, x.view(), snapshots);

        for (std::size_t s = 0; s < times.size(); ++s) {
            const double exact = 2 * std::exp(std::sin(times[s]));
            EXPECT_NEAR(at[s](1, 0), exact, bound * exact) << times[s];
        }
        EXPECT_EQ(at.front()(0, 1), 2.0);
        // Snapshots do not change the result.
        EXPECT_EQ(at.back()(0, 1), plain(0, 1));
        EXPECT_EQ(x(0, 1), plain(0, 1));
    }
}

TEST_P(StepControl, RefusesASnapshotOutsideTheInterval) {
    Matrix<double> x(1, 1);
    Matrix<double> at(1, 1);
    EXPECT_THROW(integrate<double>(periodic_growth, with_tolerance(1e-4), x.view(), {{1.5}, {at.view()}}),
                 popflow::core::Error);
    EXPECT_THROW(integrate<double>(periodic_growth, with_tolerance(1e-4), x.view(), {{0.5}, {}}),
                 std::exception);
}

INSTANTIATE_TEST_SUITE_P(Methods, StepControl, testing::Values(Method::adams, Method::dormand_prince),
                         [](const auto& info) {
                             return info.param == Method::adams ? "adams" : "dormand_prince";
                         });
