// SPDX-License-Identifier: MIT
#include "ode/dormand_prince.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::linalg::MatrixView;
using popflow::ode::dormand_prince;
using popflow::ode::Options;
using popflow::ode::Snapshots;

namespace {

// dx/dt = cos(t) x, with the solution x(1) = x(0) e^sin(1).
void periodic_growth(std::span<const double> t, ConstMatrixView<double> x, MatrixView<double> v) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) v(i, j) = std::cos(t[i]) * x(i, j);
    }
}

double error_with_step(double step) {
    Matrix<double> x(1, 1);
    x(0, 0) = 1;
    dormand_prince<double>(periodic_growth, {.fixed_step = step}, x.view());
    return std::abs(x(0, 0) - std::exp(std::sin(1.0)));
}

}  // namespace

TEST(DormandPrince, ConvergesWithOrderFive) {
    const double coarse = error_with_step(1.0 / 8);
    const double fine = error_with_step(1.0 / 16);
    EXPECT_NEAR(std::log2(coarse / fine), 5, 0.35);
}

TEST(DormandPrince, KeepsItsTolerance) {
    for (const double tolerance : {1e-3, 1e-5, 1e-8}) {
        Matrix<double> x(3, 2);
        x.fill(2.0);
        const Options options{.relative_tolerance = tolerance, .absolute_tolerance = tolerance};

        dormand_prince<double>(periodic_growth, options, x.view());

        EXPECT_NEAR(x(1, 1), 2 * std::exp(std::sin(1.0)), 10 * tolerance * 4.7);
    }
}

TEST(DormandPrince, ReturnsToTheStartAfterAFullRotation) {
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

    dormand_prince<double>(rotation, {.relative_tolerance = 1e-8, .absolute_tolerance = 1e-8}, x.view());

    EXPECT_NEAR(x(0, 0), 1, 1e-6);
    EXPECT_NEAR(x(0, 1), 0, 1e-6);
}

TEST(DormandPrince, ResultOfACellDoesNotDependOnOtherCells) {
    // A field whose stiffness differs between cells.
    const auto field = [](std::span<const double> t, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i)
            v(i, 0) = x(i, 1) * std::sin(9 * t[i] + x(i, 0)), v(i, 1) = 0;
    };
    Matrix<double> population(4, 2);
    for (std::size_t i = 0; i < 4; ++i) population(i, 1) = std::pow(10.0, static_cast<double>(i) - 1);
    Matrix<double> single(1, 2);
    single(0, 1) = population(2, 1);

    dormand_prince<double>(field, {}, population.view());
    dormand_prince<double>(field, {}, single.view());

    EXPECT_EQ(population(2, 0), single(0, 0));
}

TEST(DormandPrince, CountsItsEvaluationsAndReusesTheLastStage) {
    Matrix<double> x(1, 1);
    x(0, 0) = 1;

    const auto statistics = dormand_prince<double>(periodic_growth, {.fixed_step = 0.25}, x.view());

    EXPECT_EQ(statistics.accepted, 4U);
    EXPECT_EQ(statistics.evaluations, 1U + 4U * 6U);
}

TEST(DormandPrince, ThrowsIfACellDiverges) {
    const auto explosion = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = x(i, 0) * x(i, 0);
    };
    const auto undefined = [](std::span<const double>, ConstMatrixView<double> x, MatrixView<double> v) {
        for (std::size_t i = 0; i < x.rows; ++i) v(i, 0) = std::nan("");
    };
    Matrix<double> x(1, 1);
    x(0, 0) = 2;  // infinite at t = 1/2
    EXPECT_THROW(dormand_prince<double>(explosion, {}, x.view()), popflow::core::NumericalError);
    EXPECT_THROW(dormand_prince<double>(undefined, {}, x.view()), popflow::core::NumericalError);
}

TEST(DormandPrince, SnapshotsAgreeWithTheSolution) {
    for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
        const Options options{.relative_tolerance = tolerance, .absolute_tolerance = tolerance};
        Matrix<double> plain(2, 2);
        plain.fill(2.0);
        Matrix<double> x = plain;
        dormand_prince<double>(periodic_growth, options, plain.view());
        const std::vector<double> times{0, 0.25, 0.5, 0.6180339887, 1};
        std::vector<Matrix<double>> at(times.size(), Matrix<double>(2, 2));
        Snapshots<double> snapshots{times};
        for (auto& m : at) snapshots.x.push_back(m.view());

        dormand_prince<double>(periodic_growth, options, x.view(), snapshots);

        for (std::size_t s = 0; s < times.size(); ++s) {
            const double exact = 2 * std::exp(std::sin(times[s]));
            EXPECT_NEAR(at[s](1, 0), exact, 10 * tolerance * exact) << times[s];
        }
        EXPECT_EQ(at.front()(0, 1), 2.0);
        // Snapshots do not change the result.
        EXPECT_EQ(at.back()(0, 1), plain(0, 1));
        EXPECT_EQ(x(0, 1), plain(0, 1));
    }
}

TEST(DormandPrince, SnapshotsConvergeWithOrderFour) {
    const auto error = [](double step) {
        double worst = 0;
        for (double theta = 0.1; theta < 1; theta += 0.2) {
            Matrix<double> x(1, 1);
            x(0, 0) = 1;
            Matrix<double> at(1, 1);
            const double time = 0.5 + theta * step;
            dormand_prince<double>(periodic_growth, {.fixed_step = step}, x.view(), {{time}, {at.view()}});
            worst = std::max(worst, std::abs(at(0, 0) - std::exp(std::sin(time))));
        }
        return worst;
    };
    // The error within one step is one order above that of the interpolant.
    EXPECT_NEAR(std::log2(error(1.0 / 8) / error(1.0 / 16)), 5, 0.5);
}

TEST(DormandPrince, RefusesASnapshotOutsideTheInterval) {
    Matrix<double> x(1, 1);
    Matrix<double> at(1, 1);
    EXPECT_THROW(dormand_prince<double>(periodic_growth, {}, x.view(), {{1.5}, {at.view()}}),
                 popflow::core::Error);
    EXPECT_THROW(dormand_prince<double>(periodic_growth, {}, x.view(), {{0.5}, {}}), std::exception);
}
