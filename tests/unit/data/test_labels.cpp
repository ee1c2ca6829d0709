// SPDX-License-Identifier: MIT
#include "data/labels.hpp"

#include <gtest/gtest.h>

using namespace popflow::data;
using Strings = std::vector<std::string>;

TEST(Labels, NumbersReadAsPeopleWriteThem) {
    EXPECT_EQ(number_label(1.0), "1");
    EXPECT_EQ(number_label(-0.0), "0");
    EXPECT_EQ(number_label(0.5), "0.5");
    EXPECT_EQ(number_label(0.1F), "0.1");
    EXPECT_EQ(number_label(100000.0), "100000");
    EXPECT_EQ(number_label(1e-7), "1e-07");
    EXPECT_EQ(number_label(-2.25), "-2.25");
}

TEST(Labels, ALabelIsANumberOnlyAsAWhole) {
    EXPECT_EQ(label_number("0.5"), 0.5);
    EXPECT_EQ(label_number("1e-3"), 1e-3);
    EXPECT_EQ(label_number("-2"), -2);
    for (const char* text : {"", "1 uM", "nan", "inf", "high", " 1"})
        EXPECT_FALSE(label_number(text)) << text;
}

TEST(Labels, TheNearestNameIsFewestEditsAway) {
    EXPECT_EQ(nearest_name("Treatment", {"patient", "treatments", "plate"}), "treatments");
    EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Labels, ListsAreJoinedAndSplit) {
    EXPECT_EQ(joined({"a", "b", "c"}, 2), "a, b and 1 more");
    EXPECT_EQ(joined({}), "");
    EXPECT_EQ(split_text("a, b c ,,d", ','), (Strings{"a", "b c", "", "d"}));
    EXPECT_EQ(split_text("", ','), Strings{});
}
