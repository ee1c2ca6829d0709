// SPDX-License-Identifier: MIT
#include "import/fcs_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "support/fcs_fixture.hpp"

using namespace popflow::data_import;
using namespace popflow::support;
using Strings = std::vector<std::string>;

namespace {

FcsKeywords keywords(const std::string& text, DoubledDelimiter doubled) {
    return parse_fcs_text(text, {.doubled = doubled}).keywords;
}

/// Tests of files whose TEXT segment is written by hand.
class FcsTextSegment : public FcsFileTest {
  protected:
    /// Returns a file of two 16-bit events of the channels FL1 and FL2. `text` stands behind the keywords.
    static FcsBytes with_text(const std::string& text) {
        FcsBytes fcs;
        for (const auto& [name, value] : {std::pair{"$BYTEORD", "1,2,3,4"},
                                          {"$DATATYPE", "I"},
                                          {"$MODE", "L"},
                                          {"$NEXTDATA", "0"},
                                          {"$PAR", "2"},
                                          {"$TOT", "2"},
                                          {"$P1B", "16"},
                                          {"$P1N", "FL1"},
                                          {"$P1R", "1024"},
                                          {"$P1E", "0,0"},
                                          {"$P2B", "16"},
                                          {"$P2N", "FL2"},
                                          {"$P2R", "1024"},
                                          {"$P2E", "0,0"}})
            fcs.set(name, value);
        fcs.data = std::string("\1\0\2\0\3\0\4\0", 8);
        fcs.padding = text;
        return fcs;
    }
    static std::vector<float> expected() { return {1, 2, 3, 4}; }
    static Strings stains(const FcsFile& file) {
        Strings out;
        for (const FcsParameter& p : file.parameters()) out.push_back(p.stain);
        return out;
    }
};

}  // namespace

TEST(FcsText, ReadsADoubledDelimiterInFourWays) {
    const std::string text = "/A/x//y/B//C/z/";
    EXPECT_EQ(keywords(text, DoubledDelimiter::escape), (FcsKeywords{{"A", "x/y"}, {"B/C", "z"}}));
    EXPECT_EQ(keywords(text, DoubledDelimiter::by_position),
              (FcsKeywords{{"A", "x/y"}, {"B", ""}, {"C", "z"}}));
    EXPECT_EQ(keywords(text, DoubledDelimiter::empty_value), (FcsKeywords{{"A", "x"}, {"B", ""}, {"C", "z"}}))
        << "an empty name has the value y";
    EXPECT_EQ(keywords(text, DoubledDelimiter::stray), (FcsKeywords{{"A", "x"}, {"Y", "B"}, {"C", "z"}}));
}

TEST(FcsText, ReadsRunsOfDelimitersByTheirPosition) {
    const auto read = [](const std::string& text) { return keywords(text, DoubledDelimiter::by_position); };
    EXPECT_EQ(read("/A///home/B/y/"), (FcsKeywords{{"A", "/home"}, {"B", "y"}}));
    EXPECT_EQ(read("/A////B/y/"), (FcsKeywords{{"A", "/"}, {"B", "y"}}));
    EXPECT_EQ(read("/A/x///B/y/"), (FcsKeywords{{"A", "x/"}, {"B", "y"}}));
    EXPECT_EQ(read("/A/x//$PAR/3/"), (FcsKeywords{{"A", "x"}, {"$PAR", "3"}}));
    EXPECT_EQ(read("/A/x//"), (FcsKeywords{{"A", "x"}}));
    EXPECT_EQ(read("/A//"), (FcsKeywords{{"A", ""}}));
    EXPECT_EQ(read("//A/x/"), (FcsKeywords{{"A", "x"}}));
}

TEST(FcsText, IgnoresWhatFollowsTheLastDelimiter) {
    const std::string text = "/a/x/b/y/";
    const FcsText plain = parse_fcs_text(text, {});
    EXPECT_EQ(plain.keywords, (FcsKeywords{{"A", "x"}, {"B", "y"}}));
    EXPECT_EQ(plain.end, text.size());
    EXPECT_EQ(plain.oddities, 0U);
    for (const std::string& tail : {std::string(8, '\0'), std::string("  \r\n"), std::string("\x01\xFFzz")}) {
        const FcsText padded = parse_fcs_text(text + tail, {});
        EXPECT_EQ(padded.keywords, plain.keywords);
        EXPECT_EQ(padded.end, text.size());
    }
    EXPECT_EQ(parse_fcs_text("/a/x/b/y", {}).keywords, plain.keywords) << "the last value has no delimiter";
    EXPECT_FALSE(parse_fcs_text("/a/x/b/y", {}).is_terminated);
    EXPECT_EQ(parse_fcs_text("/a/x/$P1N", {}).cut_name, "$P1N");
}

TEST(FcsText, FindsTheNextNameBehindAMissingValue) {
    const FcsTextReading reading{.should_resynchronise = true};
    EXPECT_EQ(parse_fcs_text("/$SRC/$PAR/3/b/$TOT/7/", reading).keywords,
              (FcsKeywords{{"$SRC", ""}, {"$PAR", "3"}, {"B", ""}, {"$TOT", "7"}}));
}

TEST_F(FcsTextSegment, KeepsTheKeywordBehindAnEmptyValue) {
    // A required keyword, an optional one and the number of parameters, behind a keyword without a value.
    FcsBytes fcs = with_text("$SRC//$P1E/4,0/");
    fcs.set("$P1E", "");
    const std::vector<float> log = events(open(fcs));
    EXPECT_FLOAT_EQ(log[0], std::pow(10.0F, 4.0F / 1024));
    EXPECT_EQ(stains(open(with_text("$SRC//$P1S/CD4/$OP//$P2S/CD8/"))), (Strings{"CD4", "CD8"}));
    EXPECT_EQ(
        open(with_text("$SRC//$P1S/CD4/")).notes(),
        (Strings{"TEXT has keywords without values: $P1S is read as a keyword of its own, not as a part of "
                 "the value before it"}));
    fcs = with_text("$SRC//$PAR/2/");
    EXPECT_EQ(events(open(fcs.set("$PAR", ""))), expected());
    EXPECT_EQ(events(open(with_text("$OP//"))), expected());
    EXPECT_EQ(stains(open(with_text("$P1S//$P2S/CD8/"))), (Strings{"", "CD8"}));
}

TEST_F(FcsTextSegment, KeepsEscapedDelimitersBesideEmptyValues) {
    const FcsFile file = open(with_text("$P1S/a//b/$OP//$P2S/c///NOTE///home/"));
    EXPECT_EQ(stains(file), (Strings{"a/b", "c/"}));
    EXPECT_EQ(file.keyword("NOTE"), "/home");
}

TEST_F(FcsTextSegment, KeepsAnEscapedDelimiterBeforeStrayBytes) {
    // Without $NEXTDATA a required keyword is missing in any reading.
    FcsBytes fcs = with_text("$P2S/a//b/xx/").set("$NEXTDATA", "");
    EXPECT_EQ(stains(open(fcs)), (Strings{"", "a/b"}));
}

TEST_F(FcsTextSegment, IgnoresBytesBehindTheLastDelimiter) {
    for (const std::string& tail :
         {std::string(8, '\0'), std::string(5, ' '), std::string("\n"), std::string("\xFF\x01junk"),
          std::string("\x03/\x04", 3), std::string("key/")}) {
        EXPECT_EQ(events(open(with_text("$P1S/CD4/" + tail))), expected()) << tail;
        EXPECT_EQ(stains(open(with_text("$P1S/CD4/" + tail))), (Strings{"CD4", ""})) << tail;
    }
}

TEST_F(FcsTextSegment, ReadsSegmentsWithoutADelimiterAtTheBeginOrTheEnd) {
    const FcsBytes fcs = with_text("$P2S/CD8/");
    const std::string bytes = fcs.bytes();
    const auto with_offsets = [&](std::size_t begin, std::size_t end) {
        store(std::string(bytes).replace(10, 16, FcsBytes::field(begin) + FcsBytes::field(end)));
        return FcsFile(path());
    };
    const std::size_t last = fcs.data_begin() - 1;
    for (const std::size_t begin : {std::size_t{58}, std::size_t{59}}) {
        for (const std::size_t end : {last - 3, last - 2, last - 1, last, last + 1, last + 3}) {
            const FcsFile file = with_offsets(begin, end);
            EXPECT_EQ(stains(file), (Strings{"", "CD8"})) << begin << " " << end;
            EXPECT_EQ(events(file), expected()) << begin << " " << end;
        }
    }
    EXPECT_EQ(stains(with_offsets(58, last - 20)), (Strings{"", "CD8"})) << "the end cuts keywords off";
}

TEST_F(FcsTextSegment, IgnoresASupplementThatCannotBeRead) {
    const auto with_supplement = [&](const std::string& begin, const std::string& end) {
        FcsBytes fcs = with_text("$BEGINSTEXT/" + begin + "/$ENDSTEXT/" + end + "/");
        fcs.tail = "no keywords";
        return fcs;
    };
    const std::size_t end = with_supplement("1000", "2000").bytes().size();
    const auto problem = [](const std::string& a, const std::string& b, const std::string& reason) {
        return Strings{"the supplemental TEXT is ignored: $BEGINSTEXT and $ENDSTEXT: found '" + a +
                       "' and '" + b + "', " + reason};
    };
    for (const auto& [first, last] : {std::pair{"90000", "99999"}, {"0012", "0020"}, {"0500", "0400"}}) {
        const FcsFile file = open(with_supplement(first, last));
        const std::string limit = std::to_string(std::filesystem::file_size(path()) - 1);
        EXPECT_EQ(file.notes(),
                  problem(first, last, "which are not within 58 to " + limit + ", the end of the file"));
        EXPECT_EQ(events(file), expected());
    }
    EXPECT_EQ(open(with_supplement("none", "?")).notes(), problem("none", "?", "which are no whole numbers"));
    const std::string begin = "0" + std::to_string(end - 11);
    const std::string last = "0" + std::to_string(end - 1);
    EXPECT_EQ(open(with_supplement(begin, last)).notes(),
              problem(begin, last, "which does not begin with the delimiter of TEXT"));
    EXPECT_TRUE(open(with_supplement("58", "80")).notes().empty()) << "a part of the primary segment";
    EXPECT_TRUE(open(with_supplement("0", "0")).notes().empty());
    FcsBytes incomplete = with_supplement("90000", "99999");
    EXPECT_TRUE(contains(error(incomplete.set("$P1B", "")),
                         "$P1B: missing: it may be in the supplemental TEXT, which cannot be read ("));
}

TEST_F(FcsTextSegment, SaysWhichKeywordIsCutOff) {
    FcsBytes fcs = with_text("$P2S");
    EXPECT_EQ(open(fcs).notes(), (Strings{"TEXT ends within the keyword $P2S, which is ignored"}));
    EXPECT_EQ(events(open(fcs)), expected());
}
