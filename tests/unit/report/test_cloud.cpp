// SPDX-License-Identifier: MIT
#include "report/plot/cloud.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace plot = popflow::report::plot;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

// The quartiles are 1 and 3, so that IQR / 1.34 is less than the standard deviation 1.58.
TEST(KernelDensity, UsesSilvermansBandwidth) {
    const double bandwidth = 0.9 * (2 / 1.34) * std::pow(5.0, -0.2);
    double expected = 0;
    for (double v : {0.0, 1.0, 2.0, 3.0, 4.0})
        expected += std::exp(-0.5 * std::pow((2.5 - v) / bandwidth, 2)) /
                    (5 * bandwidth * std::sqrt(2 * std::acos(-1)));
    EXPECT_NEAR(plot::kernel_density({4, 3, not_a_number, 2, 1, 0}, {2.5})[0], expected, 1e-14);
}

TEST(KernelDensity, IntegratesToOne) {
    std::vector<double> at;
    for (int i = -2000; i <= 2000; ++i) at.push_back(0.01 * i);
    double sum = 0;
    for (double density : plot::kernel_density({0, 0, 0, 0, 1, 2, -1}, at)) sum += 0.01 * density;
    EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(KernelDensity, IsEmptyWithoutTwoDistinctValues) {
    EXPECT_TRUE(plot::kernel_density({}, {0}).empty());
    EXPECT_TRUE(plot::kernel_density({2, 2, 2}, {0}).empty());
}

TEST(Cloud, DrawsEveryPointWithFiniteCoordinates) {
    const plot::Axis x = plot::linear_axis("x", {0, 1});
    const std::string svg =
        plot::cloud_chart("cells", x, x, {{.x = {0, 1, not_a_number}, .y = {0, 1, 1}, .title = "<b>"}},
                          {{0, 0, 1, 1}, {0, not_a_number, 1, 1}})
            .svg();
    EXPECT_EQ(count(svg, "h0"), 2U);
    EXPECT_EQ(count(svg, "class=\"arrows\""), 1U);
    EXPECT_EQ(count(svg, "<b>"), 0U);
    const std::string frame = plot::cloud_frame("cells", {.x = {0, 5}, .y = {0, 0}}, {0, 0}, 1).svg();
    EXPECT_EQ(count(frame, "h0"), 1U) << "points outside the frame are not drawn";
    EXPECT_EQ(count(frame, "M80 80h0"), 1U);
}

TEST(DensityChart, OmitsConstantSeries) {
    const std::string svg = plot::density_chart("d", "CD90", {{{0, 1, 2}, 0, "a"}, {{1, 1}, 1, "b"}}).svg();
    EXPECT_EQ(count(svg, "class=\"line c"), 1U);
    EXPECT_EQ(count(svg, "CD90"), 1U);
}
