// SPDX-License-Identifier: MIT
#include "core/join.hpp"

#include <gtest/gtest.h>

TEST(AndJoined, JoinsNamesAsInASentence) {
    using popflow::core::and_joined;
    EXPECT_EQ(and_joined({}), "");
    EXPECT_EQ(and_joined({"a"}), "a");
    EXPECT_EQ(and_joined({"a", "b"}), "a and b");
    EXPECT_EQ(and_joined({"a", "b", "c"}), "a, b and c");
}
