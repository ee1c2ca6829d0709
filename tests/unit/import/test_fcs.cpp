// SPDX-License-Identifier: MIT
#include "import/fcs.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "support/fcs_fixture.hpp"

namespace core = popflow::core;
using namespace popflow::data_import;
using namespace popflow::support;
using popflow::linalg::Matrix;
using Strings = std::vector<std::string>;

namespace {

class Fcs : public FcsFileTest {};

const std::string no_keywords =
    ", and no range in $BEGINDATA and $ENDDATA: the file is cut off or damaged, export it again";

}  // namespace

TEST_F(Fcs, IgnoresZeroBytesAtTheEndOfTheText) {
    FcsBytes fcs = two_events();
    fcs.padding = std::string(3, '\0');
    EXPECT_EQ(open(fcs).events(), 2U);
}

TEST_F(Fcs, ReadsFloatsOfBothByteOrders) {
    for (const Order order : {Order::little, Order::big}) {
        const FcsFile file = open(two_events(order));
        EXPECT_EQ(file.path(), path());
        EXPECT_EQ(file.events(), 2U);
        EXPECT_EQ(file.event_bytes(), 8U);
        EXPECT_EQ(events(file), (std::vector<float>{1.5F, -2.0F, 1e-3F, 4e6F}));
    }
}

TEST_F(Fcs, ReadsDoublesOfBothByteOrders) {
    for (const Order order : {Order::little, Order::big}) {
        FcsBytes fcs = two_events(order).set("$DATATYPE", "D").set("$P1B", "64").set("$P2B", "64");
        fcs.data = double_bytes({0.1, -3, 1e30, 0}, order);
        const FcsFile file = open(fcs);
        EXPECT_EQ(file.event_bytes(), 16U);
        EXPECT_EQ(events(file), (std::vector<float>{0.1F, -3.0F, 1e30F, 0.0F}));
    }
}

TEST_F(Fcs, ReadsIntegersOfEveryWidthInBothByteOrders) {
    for (const Order order : {Order::little, Order::big}) {
        EXPECT_EQ(events(open(one_integer(200, 8, "256", order))), (std::vector<float>{200}));
        EXPECT_EQ(events(open(one_integer(0x0102, 16, "65536", order))), (std::vector<float>{258}));
        EXPECT_EQ(events(open(one_integer(0x010203, 24, "16777216", order))), (std::vector<float>{66051}));
        EXPECT_EQ(events(open(one_integer(0x40000000, 32, "4294967296", order))),
                  (std::vector<float>{0x1p30F}));
        EXPECT_EQ(events(open(one_integer(std::uint64_t{1} << 63U, 64, "18446744073709551616", order))),
                  (std::vector<float>{0x1p63F}));
    }
}

TEST_F(Fcs, ReadsParametersOfDifferentWidths) {
    FcsBytes fcs = one_integer(0, 8, "256").set("$PAR", "2").set("$TOT", "2");
    fcs.set("$P2B", "16").set("$P2N", "B").set("$P2R", "1024");
    fcs.data = std::string("\x01\x02\x00\xFF\x00\x01", 6);
    const FcsFile file = open(fcs);
    EXPECT_EQ(file.event_bytes(), 3U);
    EXPECT_EQ(events(file), (std::vector<float>{1, 2, 255, 256}));
}

TEST_F(Fcs, MasksTheBitsAboveTheRange) {
    EXPECT_EQ(events(open(one_integer(0xFC05, 16, "1024"))), (std::vector<float>{5}));
    EXPECT_EQ(events(open(one_integer(0xFFFF, 16, "1000"))), (std::vector<float>{1023}))
        << "a range that is no power of two needs the bits of the next power of two";
    EXPECT_EQ(events(open(one_integer(0xFFFF, 16, "65536"))), (std::vector<float>{65535}));
    EXPECT_EQ(events(open(one_integer(0xFFFF, 16, "1"))), (std::vector<float>{65535}))
        << "a range of 1 gives no mask";
}

TEST_F(Fcs, ConvertsLogarithmicIntegersToALinearScale) {
    // 10^(4 * channel / 1024) * f2
    EXPECT_FLOAT_EQ(events(open(one_integer(512, 16, "1024").set("$P1E", "4,1")))[0], 100);
    EXPECT_FLOAT_EQ(events(open(one_integer(256, 16, "1024").set("$P1E", "4.0, 0.5")))[0], 5);
    EXPECT_FLOAT_EQ(events(open(one_integer(0, 16, "1024").set("$P1E", "4,0")))[0], 1)
        << "an f2 of 0 is read as 1";
    EXPECT_EQ(events(open(one_integer(512, 16, "1024").set("$P1E", "0,0"))), (std::vector<float>{512}));
}

TEST_F(Fcs, LeavesFloatsUnchangedByRangeAndScale) {
    const FcsBytes fcs = two_events().set("$P1R", "2").set("$P1E", "4,1");
    EXPECT_EQ(events(open(fcs)), (std::vector<float>{1.5F, -2.0F, 1e-3F, 4e6F}));
}

TEST_F(Fcs, ReadsARangeOfEvents) {
    const FcsFile file = open(two_events());
    EXPECT_EQ(events(file, 0, 1), (std::vector<float>{1.5F, -2.0F}));
    EXPECT_EQ(events(file, 1, 1), (std::vector<float>{1e-3F, 4e6F}));
    EXPECT_TRUE(events(file, 2, 0).empty());
}

TEST_F(Fcs, RefusesEventsThatDoNotExist) {
    const FcsFile file = open(two_events());
    EXPECT_THROW(events(file, 1, 2), core::Error);
    EXPECT_THROW(events(file, 3, 1), core::Error);
    EXPECT_THROW(events(file, std::numeric_limits<std::uint64_t>::max(), 1), core::Error);
    Matrix<float> narrow(2, 1);
    EXPECT_THROW(file.read(0, narrow), core::ShapeMismatch);
}

TEST_F(Fcs, NamesParametersByChannelThenStainThenNumber) {
    FcsBytes fcs = two_events().set("$PAR", "3").set("$P1N", "").set("$P2N", "").set("$TOT", "1");
    fcs.set("$P3B", "32").set("$P3N", " C ").set("$P3S", "CD90");
    fcs.data = float_bytes({1, 2, 3});
    const FcsFile file = open(fcs);
    ASSERT_EQ(file.parameters().size(), 3U);
    EXPECT_EQ(file.parameters()[0].name, "pERK");
    EXPECT_EQ(file.parameters()[0].stain, "pERK");
    EXPECT_EQ(file.parameters()[1].name, "P2");
    EXPECT_EQ(file.parameters()[1].stain, "");
    EXPECT_EQ(file.parameters()[2].name, "C");
    EXPECT_EQ(file.parameters()[2].stain, "CD90");
}

TEST_F(Fcs, LooksUpKeywordsInUpperCase) {
    const FcsFile file = open(two_events().set("$Cyt", " Helios ").set("note", "a//b"));
    EXPECT_EQ(file.keyword("$CYT"), "Helios");
    EXPECT_EQ(file.keyword("NOTE"), "a/b") << "a doubled delimiter stands for the character";
    EXPECT_EQ(file.keyword("$OP"), "");
}

TEST_F(Fcs, AcceptsAnyDelimiterAndAllVersions) {
    for (const char* version : {"FCS2.0", "FCS3.0", "FCS3.1"}) {
        for (const char delimiter : {'/', '|', '\\', '\x0C'}) {
            FcsBytes fcs = two_events();
            fcs.version = version;
            fcs.delimiter = delimiter;
            EXPECT_EQ(open(fcs).events(), 2U) << version;
        }
    }
}

TEST_F(Fcs, ConvertsLatin1KeywordsToUtf8) {
    EXPECT_EQ(open(two_events().set("$P1S", "TNF-\xB5")).parameters()[0].stain, "TNF-\xC2\xB5");
}

TEST_F(Fcs, KeepsTheFirstValueOfARepeatedKeyword) {
    FcsBytes fcs = two_events();
    fcs.keywords.emplace_back("$p1n", "other");
    EXPECT_EQ(open(fcs).parameters()[0].name, "A");
}

TEST_F(Fcs, FindsDataByTheKeywordsIfTheHeaderHoldsNoOffsets) {
    FcsBytes fcs = two_events().set("$BEGINDATA", "0000").set("$ENDDATA", "0000");
    const std::string begin = "0" + std::to_string(fcs.data_begin());
    const std::string end = "0" + std::to_string(fcs.data_end());
    ASSERT_EQ(begin.size(), 4U);
    fcs.set("$BEGINDATA", begin).set("$ENDDATA", end);
    fcs.offsets_in_header = false;
    EXPECT_EQ(events(open(fcs)), (std::vector<float>{1.5F, -2.0F, 1e-3F, 4e6F}));
    fcs.set("$BEGINDATA", "");
    EXPECT_EQ(error(fcs), "DATA: found no range in the header" + no_keywords);
}

TEST_F(Fcs, ReadsASupplementalTextSegment) {
    FcsBytes fcs = two_events().set("$P2S", "").set("$BEGINSTEXT", "0000").set("$ENDSTEXT", "0000");
    fcs.tail = "/$P2S/CD90/$P1S/other/";
    const std::size_t begin = fcs.data_end() + 1;
    ASSERT_GE(begin, 100U);
    fcs.set("$BEGINSTEXT", "0" + std::to_string(begin));
    fcs.set("$ENDSTEXT", "0" + std::to_string(begin + fcs.tail.size() - 1));
    EXPECT_EQ(open(fcs).parameters()[1].stain, "CD90");
    EXPECT_EQ(open(fcs).parameters()[0].stain, "pERK") << "the primary segment has priority";
    fcs.version = "FCS2.0";
    EXPECT_EQ(open(fcs).parameters()[1].stain, "") << "FCS 2.0 has no supplemental segment";
}

TEST_F(Fcs, CountsEventsByTheSizeOfDataWithoutATotal) {
    FcsBytes fcs = two_events().set("$TOT", "");
    EXPECT_EQ(open(fcs).events(), 2U);
    fcs.data += "1234567";  // less than one more event
    EXPECT_EQ(open(fcs).events(), 2U);
    EXPECT_EQ(open(two_events().set("$TOT", "1")).events(), 1U);
}

TEST_F(Fcs, HasNoEventsIfTheTotalIsZero) {
    FcsBytes fcs = two_events().set("$TOT", "0");
    fcs.data = "";
    const FcsFile file = open(fcs);
    EXPECT_EQ(file.events(), 0U);
    EXPECT_TRUE(events(file).empty());
}

TEST_F(Fcs, AcceptsTheByteAfterTheLastOneAsTheEndOfData) {
    const FcsBytes fcs = two_events();
    std::string bytes = fcs.bytes();
    bytes.replace(34, 8, FcsBytes::field(bytes.size()));
    store(bytes);
    EXPECT_EQ(events(FcsFile(path())), (std::vector<float>{1.5F, -2.0F, 1e-3F, 4e6F}));
    bytes.replace(34, 8, FcsBytes::field(bytes.size() + 1));
    EXPECT_EQ(error_of_bytes(bytes), "DATA: found bytes " + std::to_string(fcs.data_begin()) + " to " +
                                         std::to_string(bytes.size() + 1) +
                                         " in the header, which leave the file of " +
                                         std::to_string(bytes.size()) + " bytes" + no_keywords);
}

TEST_F(Fcs, RefusesADamagedHeader) {
    EXPECT_EQ(error_of_bytes("FCS3.1"), "header: found 6 bytes, but a header has 58: the file is truncated");
    FcsBytes fcs = two_events();
    fcs.version = "FCS4.0";
    EXPECT_EQ(error(fcs), "header: found 'FCS4.0'. Convert the file to FCS2.0, FCS3.0, FCS3.1 or FCS3.2");
    const std::string bytes = two_events().bytes();
    const auto with_field = [&](std::size_t at, const std::string& field) {
        return std::string(bytes).replace(at, 8, field);
    };
    EXPECT_EQ(error_of_bytes(with_field(10, "      5x")),
              "header: begin of TEXT: found '      5x', which is no whole number: the file is damaged");
    EXPECT_EQ(error_of_bytes(with_field(18, "      -1")),
              "header: end of TEXT: found '      -1', which is no whole number: the file is damaged");
    EXPECT_EQ(error_of_bytes(with_field(26, "1.500000")), "DATA: found no range in the header" + no_keywords);
    EXPECT_EQ(error_of_bytes(with_field(34, "       ?")), "DATA: found no range in the header" + no_keywords);
}

TEST_F(Fcs, RefusesATextSegmentOutsideTheFile) {
    const std::string bytes = two_events().bytes();
    const std::string end = std::to_string(bytes.size() - 1);
    const auto error_with = [&](std::size_t first, std::size_t last) {
        return error_of_bytes(
            std::string(bytes).replace(10, 16, FcsBytes::field(first) + FcsBytes::field(last)));
    };
    const std::string limits = ", which are not within 58 to " + end + ", the end of the file";
    EXPECT_EQ(error_with(57, 100), "TEXT: found bytes 57 to 100" + limits);
    EXPECT_EQ(error_with(100, 100), "TEXT: found bytes 100 to 100" + limits);
    EXPECT_EQ(error_with(58, bytes.size() + 1),
              "TEXT: found bytes 58 to " + std::to_string(bytes.size() + 1) + limits);
    EXPECT_EQ(error_with(0, 0), "TEXT: found bytes 0 to 0" + limits);
}

TEST_F(Fcs, RefusesDataOutsideTheFile) {
    const FcsBytes fcs = two_events();
    const std::string bytes = fcs.bytes();
    const auto error_with = [&](std::size_t first, std::size_t last) {
        return error_of_bytes(
            std::string(bytes).replace(26, 16, FcsBytes::field(first) + FcsBytes::field(last)));
    };
    const std::string begin = std::to_string(fcs.data_begin());
    EXPECT_EQ(error_with(20, 100),
              "DATA: found bytes 20 to 100 in the header, which begin within the header" + no_keywords);
    EXPECT_EQ(error_with(190, 180),
              "DATA: found bytes 190 to 180 in the header, whose end lies before their begin" + no_keywords);
    EXPECT_EQ(error_with(fcs.data_begin(), 99999999),
              "DATA: found bytes " + begin + " to 99999999 in the header, which leave the file of " +
                  std::to_string(bytes.size()) + " bytes" + no_keywords);
    EXPECT_EQ(error_with(100, 131),
              "DATA: found bytes 100 to 131 in the header, which overlap TEXT, bytes 58 to " +
                  std::to_string(fcs.data_begin() - 1) + no_keywords);
}

TEST_F(Fcs, NamesARequiredKeywordThatIsMissing) {
    for (const char* name : {"$DATATYPE", "$BYTEORD", "$PAR", "$P1B", "$P2B"})
        EXPECT_EQ(error(two_events().set(name, "")), std::string(name) + ": missing");
    EXPECT_EQ(error(one_integer(1, 16, "").set("$P1N", "A")), "$P1R: missing");
    EXPECT_EQ(error(two_events().set("$PAR", "3")), "$P3B: missing");
}

TEST_F(Fcs, RefusesUnsupportedLayouts) {
    const auto error_with = [&](const char* name, const char* value) {
        return error(two_events().set(name, value));
    };
    EXPECT_EQ(error_with("$MODE", "H"), "$MODE: found 'H'. popflow reads only L, a list of events");
    EXPECT_EQ(error_with("$DATATYPE", "B"), "$DATATYPE: found 'B'. popflow reads only I, F, D and A");
    for (const char* order : {"1,2,4", "0,1,2,3", "big"}) {
        EXPECT_EQ(error_with("$BYTEORD", order),
                  "$BYTEORD: found '" + std::string(order) +
                      "'. It must number the bytes in any order, such as 1,2,3,4 or 4,3,2,1");
    }
    EXPECT_EQ(error_with("$PAR", "0"), "$PAR: found 0. Give a file with parameters");
    EXPECT_EQ(error_with("$PAR", "two"), "$PAR: found 'two', which is no whole number");
    EXPECT_EQ(error_with("$P2B", "16"), "$P2B: found 16. It must be 32 with $DATATYPE F");
    EXPECT_EQ(error(two_events().set("$DATATYPE", "D")), "$P1B: found 32. It must be 64 with $DATATYPE D");
    for (const char* bits : {"0", "65", "*"}) {
        EXPECT_EQ(error(one_integer(1, 16, "1024").set("$P1B", bits)),
                  "$P1B: found " + std::string(bits) + ". It must be 1 to 64 with $DATATYPE I");
    }
}

TEST_F(Fcs, AcceptsShortByteOrdersAndLowerCaseValues) {
    FcsBytes fcs = one_integer(0x0102, 16, "65536").set("$MODE", "l").set("$DATATYPE", "i");
    EXPECT_EQ(events(open(fcs.set("$BYTEORD", "1,2"))), (std::vector<float>{0x0102}));
    EXPECT_EQ(events(open(fcs.set("$BYTEORD", "2, 1"))), (std::vector<float>{0x0201}));
    EXPECT_EQ(events(open(fcs.set("$BYTEORD", "1"))), (std::vector<float>{0x0102}));
}

TEST_F(Fcs, RefusesAnInvalidRangeOrScale) {
    for (const char* range : {"0", "-5", "wide"}) {
        EXPECT_EQ(error(one_integer(1, 16, range)),
                  "$P1R: found '" + std::string(range) + "'. It must be a number of 1 or more");
    }
    for (const char* scale : {"4", "4,1,1", "x,1", "-4,1", "4,-1", "101,1"}) {
        EXPECT_EQ(error(one_integer(1, 16, "1024").set("$P1E", scale)),
                  "$P1E: found '" + std::string(scale) + "'. It must have two numbers, such as 0,0 or 4,1");
    }
}

TEST_F(Fcs, RefusesMoreEventsThanFitIntoData) {
    for (const char* total : {"3", "18446744073709551615"}) {
        FcsBytes more = two_events().set("$TOT", total);
        EXPECT_EQ(error(more), "DATA: found bytes " + std::to_string(more.data_begin()) + " to " +
                                   std::to_string(more.data_end()) + " in the header, which hold 2 of the " +
                                   total + " events of 8 bytes in $TOT" + no_keywords);
    }
}

TEST_F(Fcs, NamesTheChannelAndTheEventOfAValueThatIsNotFinite) {
    FcsBytes fcs = two_events();
    fcs.data = float_bytes({1, 2, 3, std::numeric_limits<float>::quiet_NaN()});
    const FcsFile file = open(fcs);
    EXPECT_EQ(
        error_of([&] { events(file); }),
        "B: event 2: found nan, which is no finite number: leave the channel out with --exclude-markers");
    EXPECT_EQ(
        error_of([&] { events(file, 1, 1); }),
        "B: event 2: found nan, which is no finite number: leave the channel out with --exclude-markers");
    EXPECT_EQ(events(file, 0, 1), (std::vector<float>{1, 2}));
    fcs.data = float_bytes({-std::numeric_limits<float>::infinity(), 2, 3, 4});
    EXPECT_EQ(
        error_of([&] { events(open(fcs)); }),
        "A: event 1: found -inf, which is no finite number: leave the channel out with --exclude-markers");
}

TEST_F(Fcs, ReportsAFileThatWasCutOffAfterItWasOpened) {
    const FcsFile file = open(two_events());
    std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 1);
    EXPECT_EQ(error_of([&] { events(file); }), "DATA: cannot read events from number 1 on");
    EXPECT_EQ(events(file, 0, 1), (std::vector<float>{1.5F, -2.0F}));
    std::filesystem::remove(path());
    EXPECT_EQ(error_of([&] { events(file, 1, 1); }), "DATA: cannot read events from number 2 on");
}

TEST_F(Fcs, RecognisesFilesByTheirSignature) {
    store(two_events().bytes());
    EXPECT_TRUE(is_fcs(path()));
    for (const char* text : {"", "FC", "fcs3.1", "a,b\n1,2\n", " FCS3.1"}) {
        store(text);
        EXPECT_FALSE(is_fcs(path())) << text;
    }
    std::filesystem::remove(path());
    EXPECT_EQ(error_of([&] { is_fcs(path()); }), "cannot read: No such file or directory");
    EXPECT_EQ(error_of([&] { FcsFile{path()}; }), "cannot read: No such file or directory");
}
