// SPDX-License-Identifier: MIT
#include "linalg/inverse.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

using popflow::linalg::inverse;

TEST(Inverse, AgreesWithTheInverseByHand) {
    const std::vector<double> m{4, 7, 2, 6};  // determinant 10
    const auto found = inverse(m, 2);
    ASSERT_TRUE(found.has_value());
    const std::vector<double> expected{0.6, -0.7, -0.2, 0.4};
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR((*found)[i], expected[i], 1e-14);
}

TEST(Inverse, NeedsPivotsForAZeroOnTheDiagonal) {
    const std::vector<double> swap{0, 1, 1, 0};
    const auto found = inverse(swap, 2);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, swap);
}

TEST(Inverse, HasNoValueForASingularMatrix) {
    EXPECT_FALSE(inverse(std::vector<double>{1, 2, 2, 4}, 2).has_value());
    EXPECT_FALSE(inverse(std::vector<double>{0}, 1).has_value());
}

TEST(Inverse, ThrowsForAMatrixThatIsNotSquare) {
    EXPECT_THROW(inverse(std::vector<double>{1, 2, 3}, 2), popflow::core::ShapeMismatch);
}
