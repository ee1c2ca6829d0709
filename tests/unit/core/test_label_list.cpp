// SPDX-License-Identifier: MIT
#include "core/label_list.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/label_match.hpp"

namespace core = popflow::core;
using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

namespace {

template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const core::ConfigError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST(SplitList, SplitsAtCommasOutsideQuotes) {
    EXPECT_EQ(core::split_list("k", R"("TNF,IL-1b", DMSO)"), (Strings{"TNF,IL-1b", "DMSO"}));
    EXPECT_EQ(core::split_list("k", " a , b,,c "), (Strings{"a", "b", "c"}));
    EXPECT_EQ(core::split_list("k", R"(" a ","""b""",5" dish)"), (Strings{" a ", "\"b\"", "5\" dish"}));
    EXPECT_EQ(core::split_list("k", R"(a,"")"), (Strings{"a", ""})) << "an empty label in quotes";
    EXPECT_EQ(core::split_list("k", ""), Strings{});
}

TEST(SplitList, RefusesQuotesThatDoNotEnclose) {
    EXPECT_EQ(error_of([] { core::split_list("control", R"("a,b)"); }),
              "control: found `\"a,b`, in which a double quote is not closed");
    EXPECT_EQ(error_of([] { core::split_list("control", R"("a"b)"); }),
              "control: found `\"a\"b`, in which text follows a closing quote: put a whole label in double "
              "quotes, and "
              "write a quote in a label twice");
}

TEST(SplitAssignments, AcceptsQuotesAroundAnItemOrItsValue) {
    const Pairs expected{{"patient", "Doe, J"}, {"b", "z=1"}};
    EXPECT_EQ(core::split_assignments("k", R"("patient=Doe, J",b=z=1)"), expected);
    EXPECT_EQ(core::split_assignments("k", R"(patient="Doe, J" , b = z=1)"), expected);
    EXPECT_EQ(core::split_assignments("k", "a=1,b"), (Pairs{{"a", "1"}, {"", "b"}}));
    EXPECT_EQ(core::split_assignments("k", "a="), (Pairs{{"a", ""}}));
    EXPECT_EQ(core::split_assignments("k", "a=1,"), (Pairs{{"a", "1"}, {"", ""}}));
    EXPECT_TRUE(core::split_assignments("k", "").empty());
}

TEST(SplitHead, SplitsAtTheFirstColonOutsideQuotes) {
    const core::LabelHead plain = core::split_head("split", "patient:a:b");
    EXPECT_EQ(plain.head, "patient");
    EXPECT_FALSE(plain.is_quoted);
    EXPECT_EQ(plain.rest, "a:b");
    const core::LabelHead quoted = core::split_head("split", R"( "my:""col"" " : "a,b",c)");
    EXPECT_EQ(quoted.head, "my:\"col\" ");
    EXPECT_TRUE(quoted.is_quoted);
    EXPECT_EQ(quoted.rest, R"( "a,b",c)");
    EXPECT_EQ(core::split_head("split", "replica").rest, std::nullopt);
    EXPECT_EQ(core::split_head("split", "patient:").rest, "");
}

TEST(SplitHead, RefusesQuotesThatDoNotEnclose) {
    EXPECT_EQ(error_of([] { core::split_head("split", R"("my:col:a)"); }),
              "split: found `\"my:col:a`, in which a double quote is not closed");
    EXPECT_NE(
        error_of([] { core::split_head("split", R"("my"col:a)"); }).find("text follows a closing quote"),
        std::string::npos);
}

TEST(ListText, IsReadBack) {
    const Strings items{"a", " b ", "c,d", "\"e\"", "", "f # g", "5\" dish"};
    EXPECT_EQ(core::split_list("k", core::list_text(items)), items);
    EXPECT_EQ(core::list_text({"a", "b c", "d,e"}), "a, b c, \"d,e\"");
}

TEST(RejoinLabels, JoinsWhatTheDataHaveAsOneLabel) {
    const Strings known{"Doe, J", "1,25-(OH)2D3", "A", "A,B,C"};
    EXPECT_EQ(core::rejoin_labels({"Doe", "J"}, known), (Strings{"Doe, J"}));
    EXPECT_EQ(core::rejoin_labels({"1", "25-(OH)2D3", "X"}, known), (Strings{"1,25-(OH)2D3", "X"}));
    EXPECT_EQ(core::rejoin_labels({"A", "B", "C"}, known), (Strings{"A", "B", "C"}))
        << "A is a label by itself";
    EXPECT_EQ(core::rejoin_labels({}, known), Strings{});
}

TEST(MatchLabel, PrefersTheExactLabel) {
    EXPECT_EQ(core::match_label("k", "DMSO", {"dmso", "DMSO"}), "DMSO");
    EXPECT_EQ(core::match_label("k", "DMSO", {" dmso ", "A"}), " dmso ");
    EXPECT_EQ(core::match_label("k", "DMSO", {"A"}), std::nullopt);
    EXPECT_EQ(core::match_label("k", " ", {""}), std::nullopt);
    EXPECT_EQ(error_of([] {
                  core::match_label("control", "DMSO", {"dmso", "Dmso"});
              }),
              "control: found 'DMSO', which could be any of 'dmso', 'Dmso': give the label exactly as in the "
              "data, in "
              "double quotes if it has blanks at its ends");
}

TEST(MissingLabel, IsWhatPandasTakesForMissing) {
    for (const char* text : {"", "NA", "nan", "NaN", "None", "NULL", "<NA>", "n/a", "#N/A"})
        EXPECT_TRUE(core::is_missing_label(text)) << text;
    for (const char* text : {"na", "none", "Na", "0", "missing", " "})
        EXPECT_FALSE(core::is_missing_label(text)) << text;
}
