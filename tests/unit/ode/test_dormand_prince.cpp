// SPDX-License-Identifier: MIT
#include "ode/dormand_prince.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/periodic_growth.hpp"

using popflow::linalg::Matrix;
using popflow::ode::dormand_prince;
using popflow::test::periodic_growth;

namespace {

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

TEST(DormandPrince, CountsItsEvaluationsAndReusesTheLastStage) {
    Matrix<double> x(1, 1);
    x(0, 0) = 1;

    const auto statistics = dormand_prince<double>(periodic_growth, {.fixed_step = 0.25}, x.view());

    EXPECT_EQ(statistics.accepted, 4U);
    EXPECT_EQ(statistics.evaluations, 1U + 4U * 6U);
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
