// SPDX-License-Identifier: MIT
#include "linalg/principal_components.hpp"

#include <gtest/gtest.h>

#include <cmath>

using popflow::linalg::Matrix;
using popflow::linalg::principal_components;

namespace {

// Returns n points of an ellipse with semi-axes 3 along (0.8, 0.6, 0, ...) and 1 along (-0.6, 0.8, 0, ...).
// Its centre is (5, 0, ...).
Matrix<float> ellipse(std::size_t n, std::size_t d) {
    Matrix<float> x(n, d);
    for (std::size_t i = 0; i < n; ++i) {
        const double angle = 2 * std::acos(-1.0) * static_cast<double>(i) / static_cast<double>(n);
        const double a = 3 * std::cos(angle);
        const double b = std::sin(angle);
        x(i, 0) = static_cast<float>(5 + 0.8 * a - 0.6 * b);
        x(i, 1) = static_cast<float>(0.6 * a + 0.8 * b);
    }
    return x;
}

}  // namespace

TEST(PrincipalComponents, AreTheAxesOfAnEllipse) {
    // Fewer and more columns than rows, so that both Gram matrices are used.
    for (const std::size_t d : {2U, 3U, 40U}) {
        const auto found = principal_components(ellipse(16, d).view(), 2);
        EXPECT_NEAR(found.share[0], 0.9, 1e-6) << d;
        EXPECT_NEAR(found.share[1], 0.1, 1e-6) << d;
        EXPECT_NEAR(found.scores(0, 0), 3, 1e-5) << d;
        EXPECT_NEAR(found.scores(8, 0), -3, 1e-5) << d;
        EXPECT_NEAR(std::abs(found.scores(4, 1)), 1, 1e-5) << d;
    }
}

TEST(PrincipalComponents, AreZeroWithoutVariance) {
    Matrix<float> same(5, 3);
    same.fill(2);
    EXPECT_EQ(principal_components(same.view(), 2).share, (std::vector<double>{0, 0}));
    EXPECT_EQ(principal_components(Matrix<float>(0, 3).view(), 2).scores.rows(), 0U);
    const auto line = principal_components(ellipse(2, 5).view(), 2);
    EXPECT_NEAR(line.share[0], 1, 1e-9);
    EXPECT_NEAR(line.share[1], 0, 1e-9);
    EXPECT_NEAR(line.scores(0, 0), 3, 1e-5);
    EXPECT_NEAR(line.scores(0, 1), 0, 1e-5);
}
