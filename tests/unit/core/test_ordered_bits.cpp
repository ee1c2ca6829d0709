// SPDX-License-Identifier: MIT
#include "core/ordered_bits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

using popflow::core::ordered_bits;

namespace {

TEST(OrderedBits, HaveTheOrderOfTheFloats) {
    using Limits = std::numeric_limits<float>;
    const std::array increasing{-Limits::infinity(),
                                Limits::lowest(),
                                -2.5F,
                                -1.0F,
                                -Limits::min(),
                                -Limits::denorm_min(),
                                0.0F,
                                Limits::denorm_min(),
                                Limits::min(),
                                1.0F,
                                1.0000001F,
                                Limits::max(),
                                Limits::infinity()};
    for (std::size_t i = 1; i < increasing.size(); ++i)
        EXPECT_LT(ordered_bits(increasing[i - 1]), ordered_bits(increasing[i])) << increasing[i];
}

TEST(OrderedBits, OfBothZerosAreEqual) {
    EXPECT_EQ(ordered_bits(-0.0F), ordered_bits(0.0F));
}

}  // namespace
