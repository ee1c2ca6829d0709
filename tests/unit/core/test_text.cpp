// SPDX-License-Identifier: MIT
#include "core/text.hpp"

#include <gtest/gtest.h>

#include "core/utf8.hpp"

using namespace popflow::core;
using Strings = std::vector<std::string>;

TEST(Text, NumberLabelsHaveNoSuperfluousDigits) {
    EXPECT_EQ(popflow::core::number_label(1.0), "1");
    EXPECT_EQ(popflow::core::number_label(-0.0), "0");
    EXPECT_EQ(popflow::core::number_label(0.5), "0.5");
    EXPECT_EQ(popflow::core::number_label(0.1F), "0.1");
    EXPECT_EQ(popflow::core::number_label(100000.0), "100000");
    EXPECT_EQ(popflow::core::number_label(1e-7), "1e-07");
    EXPECT_EQ(popflow::core::number_label(-2.25), "-2.25");
}

TEST(Text, LabelNumberParsesOnlyCompleteFiniteNumbers) {
    EXPECT_EQ(popflow::core::label_number("0.5"), 0.5);
    EXPECT_EQ(popflow::core::label_number("1e-3"), 1e-3);
    EXPECT_EQ(popflow::core::label_number("-2"), -2);
    for (const char* text : {"", "1 uM", "nan", "inf", "high", " 1"})
        EXPECT_FALSE(popflow::core::label_number(text)) << text;
}

TEST(Text, NearestNameHasTheSmallestEditDistance) {
    EXPECT_EQ(popflow::core::nearest_name("Treatment", {"patient", "treatments", "plate"}), "treatments");
    EXPECT_EQ(popflow::core::nearest_name("x", {}), "");
}

TEST(Text, NearestNamePrefersACommonPrefixAndRejectsUnrelatedNames) {
    using popflow::core::nearest_name;
    EXPECT_EQ(nearest_name("EGF_15", {"EGF_60min", "EGF_15minutes", "EGF_15min"}), "EGF_15min");
    EXPECT_EQ(nearest_name("trian", {"run", "train"}), "train");
    EXPECT_EQ(nearest_name("o", {"S", "O"}), "O");
    EXPECT_EQ(nearest_name("gene", {"well", "plate"}), "");
    EXPECT_EQ(nearest_name("X", {"O", "S"}), "");
    EXPECT_EQ(popflow::core::did_you_mean("knm", {"knn"}), " (did you mean 'knn'?)");
}

TEST(Text, JoinsAndSplitsLists) {
    EXPECT_EQ(popflow::core::joined({"a", "b", "c"}, 2), "a, b and 1 more");
    EXPECT_EQ(popflow::core::joined({}), "");
    EXPECT_EQ(popflow::core::split_text("a, b c ,,d", ','), (Strings{"a", "b c", "", "d"}));
    EXPECT_EQ(popflow::core::split_text("", ','), Strings{});
}

TEST(Text, PrintableTextIsOneLineOfUtf8) {
    using popflow::core::printable;
    EXPECT_EQ(printable("a\nb\tc\x1b[31m\x7f"), "a b c [31m ");
    EXPECT_EQ(printable("\xc3\xa9 \xe2\x82\xac \xc2\x9b"), "\xc3\xa9 \xe2\x82\xac  ");  // U+009B is a CSI
    EXPECT_EQ(printable("\xff\xc3"), "??");
    EXPECT_EQ(printable(""), "");
}
