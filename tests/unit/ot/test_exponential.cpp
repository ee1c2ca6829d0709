// SPDX-License-Identifier: MIT
#include "ot/exponential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/random.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::ot::exp_of_negative;
using popflow::ot::log_of_normal;

TEST(Exponential, LogAgreesWithTheStandardLibrary) {
    Stream stream(1, Purpose::test);
    std::vector<double> values{1,
                               0.5,
                               2,
                               std::sqrt(0.5),
                               std::sqrt(2.0),
                               std::numeric_limits<double>::min(),
                               std::numeric_limits<double>::max(),
                               std::nextafter(1.0, 0.0),
                               std::nextafter(1.0, 2.0)};
    for (int l = 0; l < 20000; ++l) {
        values.push_back(std::exp(1400 * stream.uniform() - 700));
        values.push_back(0.5 + stream.uniform());
    }
    for (const double x : values) {
        const double expected = std::log(x);
        EXPECT_NEAR(log_of_normal(x), expected, 3e-16 * (1 + std::fabs(expected))) << x;
    }
    EXPECT_EQ(log_of_normal(1), 0);
}

TEST(Exponential, ExpAgreesWithTheStandardLibrary) {
    Stream stream(2, Purpose::test);
    for (int l = 0; l < 20000; ++l) {
        const double x = -700 * stream.uniform() * stream.uniform();
        EXPECT_NEAR(exp_of_negative(x) / std::exp(x), 1, 3.5e-16) << x;
    }
    EXPECT_EQ(exp_of_negative(0), 1);
}
