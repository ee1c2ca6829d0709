// SPDX-License-Identifier: MIT
#include "report/plot/axis.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using popflow::report::plot::Axis;
using popflow::report::plot::linear_axis;
using popflow::report::plot::log_axis;

namespace {

// Expects two to twelve ascending ticks that lie on the axis.
void expect_readable(const Axis& axis) {
    EXPECT_LT(axis.low, axis.high);
    EXPECT_GE(axis.ticks.size(), 2U);
    EXPECT_LE(axis.ticks.size(), 12U);
    for (std::size_t i = 0; i < axis.ticks.size(); ++i) {
        const double place = axis.place(axis.ticks[i]);
        EXPECT_TRUE(place >= 0 && place <= 1) << axis.ticks[i];
        EXPECT_TRUE(i == 0 || axis.ticks[i - 1] < axis.ticks[i]);
    }
}

}  // namespace

TEST(Axis, HasTicksAtRoundNumbers) {
    EXPECT_EQ(linear_axis("", {0, 10}).ticks, (std::vector<double>{0, 5, 10}));
    const Axis small = linear_axis("", {-0.2, 0.3});
    EXPECT_EQ(small.ticks, (std::vector<double>{-0.2, 0, 0.2}));
    EXPECT_DOUBLE_EQ(small.place(0.05), 0.5);
    EXPECT_EQ(log_axis("", {0.01, 100}).ticks, (std::vector<double>{0.01, 0.1, 1, 10, 100}));
    EXPECT_EQ(log_axis("", {1, 30}).ticks, (std::vector<double>{1, 2, 5, 10, 20}));
    EXPECT_NEAR(log_axis("", {1, 100}).place(10), 0.5, 1e-12);
}

TEST(Axis, IsReadableForAnyValues) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    for (const std::vector<double>& values : std::vector<std::vector<double>>{
             {}, {nan}, {3}, {0}, {-5, -5}, {1e-9, 2e-9}, {1e12, 3e12}, {1, infinity, 2, nan}, {4.1, 4.13}}) {
        expect_readable(linear_axis("", values));
        expect_readable(log_axis("", values));
    }
}
