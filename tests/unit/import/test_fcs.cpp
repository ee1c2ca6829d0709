// SPDX-License-Identifier: MIT
#include "import/fcs.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace core = popflow::core;
using namespace popflow::data_import;
using popflow::linalg::Matrix;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;

namespace {

enum class Order { little, big };

/// Returns the lowest `width` bytes of an unsigned integer.
std::string bytes_of(std::uint64_t bits, std::size_t width, Order order) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i) {
        const std::size_t byte = order == Order::little ? i : width - 1 - i;
        out += static_cast<char>(bits >> (8 * byte) & 0xFFU);
    }
    return out;
}

std::string float_bytes(const std::vector<float>& values, Order order = Order::little) {
    std::string out;
    for (const float v : values) out += bytes_of(std::bit_cast<std::uint32_t>(v), 4, order);
    return out;
}

std::string double_bytes(const std::vector<double>& values, Order order = Order::little) {
    std::string out;
    for (const double v : values) out += bytes_of(std::bit_cast<std::uint64_t>(v), 8, order);
    return out;
}

/// Bytes of an FCS file: HEADER, TEXT and DATA, then `tail`. Tests change the members that they examine.
struct FcsBytes {
    std::string version = "FCS3.1";
    char delimiter = '/';
    std::vector<std::pair<std::string, std::string>> keywords{};
    std::string data{};
    std::string tail{};
    std::string padding{};          ///< bytes at the end of the TEXT segment
    bool offsets_in_header = true;  ///< whether HEADER holds the offsets of DATA

    /// Sets a keyword. An empty value removes it.
    FcsBytes& set(const std::string& name, const std::string& value) {
        std::erase_if(keywords, [&](const auto& keyword) { return keyword.first == name; });
        if (!value.empty()) keywords.emplace_back(name, value);
        return *this;
    }
    /// Returns the TEXT segment.
    std::string text() const {
        std::string out(1, delimiter);
        for (const auto& [name, value] : keywords) out += name + delimiter + value + delimiter;
        return out + padding;
    }
    std::size_t data_begin() const { return 58 + text().size(); }
    std::size_t data_end() const { return data_begin() + data.size() - 1; }

    static std::string field(std::size_t number) {
        const std::string digits = std::to_string(number);
        return std::string(8 - digits.size(), ' ') + digits;
    }
    std::string bytes() const {
        const std::string none(8, ' ');
        return version + "    " + field(58) + field(data_begin() - 1) +
               (offsets_in_header ? field(data_begin()) + field(data_end()) : field(0) + field(0)) + none +
               none + text() + data + tail;
    }
};

/// Returns a file with two events of the channels A (stain pERK) and B (no stain), stored as 32-bit floats.
FcsBytes two_events(Order order = Order::little) {
    FcsBytes fcs;
    fcs.set("$BYTEORD", order == Order::little ? "1,2,3,4" : "4,3,2,1");
    fcs.set("$DATATYPE", "F").set("$MODE", "L").set("$PAR", "2").set("$TOT", "2");
    fcs.set("$P1B", "32").set("$P1N", "A").set("$P1S", "pERK");
    fcs.set("$P2B", "32").set("$P2N", "B");
    fcs.data = float_bytes({1.5F, -2.0F, 1e-3F, 4e6F}, order);
    return fcs;
}

/// Returns a file with one event of one integer channel A.
FcsBytes one_integer(std::uint64_t value, std::size_t bits, const std::string& range,
                     Order order = Order::little) {
    FcsBytes fcs;
    fcs.set("$BYTEORD", order == Order::little ? "1,2,3,4" : "4,3,2,1");
    fcs.set("$DATATYPE", "I").set("$PAR", "1").set("$TOT", "1");
    fcs.set("$P1B", std::to_string(bits)).set("$P1N", "A").set("$P1R", range);
    fcs.data = bytes_of(value, bits / 8, order);
    return fcs;
}

/// Tests of a file cells.fcs in a temporary folder.
class Fcs : public testing::Test {
  protected:
    void store(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
    FcsFile open(const FcsBytes& fcs) const {
        store(fcs.bytes());
        return FcsFile(path_);
    }
    /// Returns the message of the DataError that `call` throws, without the name of the file.
    template <class Call>
    std::string error_of(const Call& call) const {
        try {
            call();
        } catch (const core::DataError& error) {
            EXPECT_EQ(error.file, path_);
            return std::string(error.what()).substr(path_.size() + 2);
        }
        return "no error";
    }
    std::string error(const FcsBytes& fcs) const {
        return error_of([&] { open(fcs); });
    }
    std::string error_of_bytes(const std::string& bytes) const {
        store(bytes);
        return error_of([&] { FcsFile{path_}; });
    }
    std::string compensation_error(const FcsBytes& fcs) const {
        const FcsFile file = open(fcs);
        return error_of([&] { Compensation{file}; });
    }
    const std::string& path() const { return path_; }

  private:
    TemporaryFolder folder_;
    std::string path_ = folder_.file("cells.fcs");
};

/// Reads `n` events from number `first` on. Shape [n * parameters].
std::vector<float> events(const FcsFile& file, std::uint64_t first, std::size_t n) {
    Matrix<float> x(n, file.parameters().size());
    file.read(first, x);
    return {x.values().begin(), x.values().end()};
}

std::vector<float> events(const FcsFile& file) {
    return events(file, 0, file.events());
}

/// Returns a file with the channels A, B and C, one event and the given spillover.
FcsBytes with_spillover(const std::vector<float>& event, const std::string& spillover,
                        const std::string& keyword = "$SPILLOVER") {
    FcsBytes fcs = two_events();
    fcs.set("$PAR", "3").set("$P3B", "32").set("$P3N", "C").set("$TOT", "1").set(keyword, spillover);
    fcs.data = float_bytes(event);
    return fcs;
}

std::vector<float> compensated(const FcsFile& file) {
    Matrix<float> x(file.events(), file.parameters().size());
    file.read(0, x);
    Compensation(file).apply(x);
    return {x.values().begin(), x.values().end()};
}

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
    EXPECT_EQ(error(fcs), "$BEGINDATA: missing");
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
                                         std::to_string(bytes.size() + 1) + ", allowed 58 to " +
                                         std::to_string(bytes.size() - 1) + ", the end of the file");
}

TEST_F(Fcs, RefusesADamagedHeader) {
    EXPECT_EQ(error_of_bytes("FCS3.1"), "header: found 6 bytes, allowed 58 or more");
    FcsBytes fcs = two_events();
    fcs.version = "FCS4.0";
    EXPECT_EQ(error(fcs), "header: found 'FCS4.0', allowed FCS2.0, FCS3.0, FCS3.1");
    const std::string bytes = two_events().bytes();
    const auto with_field = [&](std::size_t at, const std::string& field) {
        return std::string(bytes).replace(at, 8, field);
    };
    EXPECT_EQ(error_of_bytes(with_field(10, "      5x")),
              "header: begin of TEXT: found '      5x', allowed a whole number");
    EXPECT_EQ(error_of_bytes(with_field(18, "      -1")),
              "header: end of TEXT: found '      -1', allowed a whole number");
    EXPECT_EQ(error_of_bytes(with_field(26, "1.500000")),
              "header: begin of DATA: found '1.500000', allowed a whole number");
    EXPECT_EQ(error_of_bytes(with_field(34, "       ?")),
              "header: end of DATA: found '       ?', allowed a whole number");
}

TEST_F(Fcs, RefusesATextSegmentOutsideTheFile) {
    const std::string bytes = two_events().bytes();
    const std::string end = std::to_string(bytes.size() - 1);
    const auto error_with = [&](std::size_t first, std::size_t last) {
        return error_of_bytes(
            std::string(bytes).replace(10, 16, FcsBytes::field(first) + FcsBytes::field(last)));
    };
    const std::string allowed = ", allowed 58 to " + end + ", the end of the file";
    EXPECT_EQ(error_with(57, 100), "TEXT: found bytes 57 to 100" + allowed);
    EXPECT_EQ(error_with(100, 100), "TEXT: found bytes 100 to 100" + allowed);
    EXPECT_EQ(error_with(58, bytes.size()),
              "TEXT: found bytes 58 to " + std::to_string(bytes.size()) + allowed);
    EXPECT_EQ(error_with(0, 0), "TEXT: found bytes 0 to 0" + allowed);
}

TEST_F(Fcs, RefusesAKeywordWithoutAValue) {
    FcsBytes fcs = two_events();
    std::string bytes = fcs.bytes();
    // Cuts the last value and its delimiters off: `.../$P2N/B/` becomes `.../$P2N`.
    bytes.replace(18, 8, FcsBytes::field(fcs.data_begin() - 4));
    EXPECT_EQ(error_of_bytes(bytes),
              "TEXT: found keyword '$P2N' without a value: the segment may be cut off");
}

TEST_F(Fcs, RefusesDataOutsideTheFile) {
    const std::string bytes = two_events().bytes();
    const auto error_with = [&](std::size_t first, std::size_t last) {
        return error_of_bytes(
            std::string(bytes).replace(26, 16, FcsBytes::field(first) + FcsBytes::field(last)));
    };
    const std::string allowed =
        ", allowed 58 to " + std::to_string(bytes.size() - 1) + ", the end of the file";
    EXPECT_EQ(error_with(20, 100), "DATA: found bytes 20 to 100" + allowed);
    EXPECT_EQ(error_with(90, 80), "DATA: found bytes 90 to 80" + allowed);
    EXPECT_EQ(error_with(90, 99999999), "DATA: found bytes 90 to 99999999" + allowed);
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
    EXPECT_EQ(error_with("$MODE", "H"), "$MODE: found 'H', allowed L, a list of events");
    EXPECT_EQ(error_with("$DATATYPE", "A"), "$DATATYPE: found 'A', allowed I, F, D");
    EXPECT_EQ(error_with("$BYTEORD", "3,4,1,2"), "$BYTEORD: found '3,4,1,2', allowed 1,2,3,4 or 4,3,2,1");
    EXPECT_EQ(error_with("$PAR", "0"), "$PAR: found 0, allowed 1 or more");
    EXPECT_EQ(error_with("$PAR", "two"), "$PAR: found 'two', allowed a whole number");
    EXPECT_EQ(error_with("$P2B", "16"), "$P2B: found 16, allowed 32 with $DATATYPE F");
    EXPECT_EQ(error(two_events().set("$DATATYPE", "D")), "$P1B: found 32, allowed 64 with $DATATYPE D");
    EXPECT_EQ(error(one_integer(1, 16, "1024").set("$P1B", "10")),
              "$P1B: found 10, allowed 8, 16, 24, ... 64 with $DATATYPE I");
    EXPECT_EQ(error(one_integer(1, 16, "1024").set("$P1B", "72")),
              "$P1B: found 72, allowed 8, 16, 24, ... 64 with $DATATYPE I");
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
                  "$P1R: found '" + std::string(range) + "', allowed a number of 1 or more");
    }
    for (const char* scale : {"4", "4,1,1", "x,1", "-4,1", "4,-1", "101,1"}) {
        EXPECT_EQ(error(one_integer(1, 16, "1024").set("$P1E", scale)),
                  "$P1E: found '" + std::string(scale) + "', allowed two numbers, such as 0,0 or 4,1");
    }
}

TEST_F(Fcs, RefusesMoreEventsThanFitIntoData) {
    EXPECT_EQ(error(two_events().set("$TOT", "3")),
              "$TOT: found 3 events of 8 bytes, allowed 2, the number that fits into DATA");
    EXPECT_EQ(
        error(two_events().set("$TOT", "18446744073709551615")),
        "$TOT: found 18446744073709551615 events of 8 bytes, allowed 2, the number that fits into DATA");
}

TEST_F(Fcs, RefusesASecondDataSet) {
    EXPECT_EQ(error(two_events().set("$NEXTDATA", "60")),
              "$NEXTDATA: found 60, allowed 0: split files of several data sets first");
    EXPECT_EQ(open(two_events().set("$NEXTDATA", "0")).events(), 2U);
    EXPECT_EQ(open(two_events().set("$NEXTDATA", "100000")).events(), 2U)
        << "an offset after the end of the file is no data set";
}

TEST_F(Fcs, NamesTheChannelAndTheEventOfAValueThatIsNotFinite) {
    FcsBytes fcs = two_events();
    fcs.data = float_bytes({1, 2, 3, std::numeric_limits<float>::quiet_NaN()});
    const FcsFile file = open(fcs);
    EXPECT_EQ(error_of([&] { events(file); }), "B: event 2: found nan, allowed a finite number");
    EXPECT_EQ(error_of([&] { events(file, 1, 1); }), "B: event 2: found nan, allowed a finite number");
    EXPECT_EQ(events(file, 0, 1), (std::vector<float>{1, 2}));
    fcs.data = float_bytes({-std::numeric_limits<float>::infinity(), 2, 3, 4});
    EXPECT_EQ(error_of([&] { events(open(fcs)); }), "A: event 1: found -inf, allowed a finite number");
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

TEST_F(Fcs, ParsesTheSpillover) {
    const FcsFile file = open(with_spillover({1, 2, 3}, "2, C, A, 1, 0.25, 0.5e-1, 1"));
    EXPECT_EQ(file.spillover().channels, (Strings{"C", "A"}));
    EXPECT_EQ(file.spillover().values, (std::vector<double>{1, 0.25, 0.05, 1}));
}

TEST_F(Fcs, FindsTheSpilloverUnderOlderKeywords) {
    for (const char* name : {"SPILLOVER", "SPILL", "$SPILL", "spill"}) {
        const FcsFile file = open(with_spillover({1, 2, 3}, "1,B,2", name));
        EXPECT_EQ(file.spillover().channels, (Strings{"B"})) << name;
    }
    FcsBytes both = with_spillover({1, 2, 3}, "1,B,2", "SPILL").set("$SPILLOVER", "1,C,2");
    EXPECT_EQ(open(both).spillover().channels, (Strings{"C"})) << "the keyword of the standard has priority";
}

TEST_F(Fcs, RefusesAnInvalidSpillover) {
    const auto error_with = [&](const std::string& spillover) {
        const FcsFile file = open(with_spillover({1, 2, 3}, spillover));
        return error_of([&] { file.spillover(); });
    };
    EXPECT_EQ(error_with(""), "$SPILLOVER: missing: import without compensation with --compensate no");
    for (const char* size : {"0", "4", "1.5", "-1", "two"}) {
        EXPECT_EQ(error_with(std::string(size) + ",A,1"),
                  "$SPILLOVER: found '" + std::string(size) + "' channels, allowed 1 to 3");
    }
    EXPECT_EQ(error_with("2,A,B,1,0,0"), "$SPILLOVER: found 6 entries, allowed 7 for 2 channels");
    EXPECT_EQ(error_with("1,A,1,1"), "$SPILLOVER: found 4 entries, allowed 3 for 1 channels");
    EXPECT_EQ(error_with("2,A,B,1,0,x,1"), "$SPILLOVER: found 'x', allowed a number");
    EXPECT_EQ(error_with("1,A,nan"), "$SPILLOVER: found 'nan', allowed a number");
    const FcsFile old = open(with_spillover({1, 2, 3}, "1,A", "SPILL"));
    EXPECT_EQ(error_of([&] { old.spillover(); }), "SPILL: found 2 entries, allowed 3 for 1 channels");
}

TEST_F(Fcs, CompensationRecoversTheTrueFluorescence) {
    // True values (A, C) = (8, 20). A spills a quarter into C, and C spills half into A:
    // measured A = 8 + 0.5 * 20 = 18, measured C = 0.25 * 8 + 20 = 22.
    const std::vector<float> event{18, 7, 22};
    const std::vector<float> found = compensated(open(with_spillover(event, "2,A,C,1,0.25,0.5,1")));
    EXPECT_FLOAT_EQ(found[0], 8);
    EXPECT_EQ(found[1], 7) << "B is not in the matrix";
    EXPECT_FLOAT_EQ(found[2], 20);
    EXPECT_EQ(compensated(open(with_spillover(event, "2,C,A,1,0.5,0.25,1"))), found)
        << "the order of the channels does not matter";
}

TEST_F(Fcs, CompensationWithTheIdentityChangesNothing) {
    EXPECT_EQ(compensated(open(with_spillover({1.1F, -2.2F, 3.3F}, "3,A,B,C,1,0,0,0,1,0,0,0,1"))),
              (std::vector<float>{1.1F, -2.2F, 3.3F}));
}

TEST_F(Fcs, CompensationExchangesRowsIfADiagonalElementIsZero) {
    // For the true values (A, B, C) the measured values are (B, 2 C, A).
    EXPECT_EQ(compensated(open(with_spillover({5, 6, 7}, "3,A,B,C,0,0,1,1,0,0,0,2,0"))),
              (std::vector<float>{7, 5, 3}));
}

TEST_F(Fcs, CompensationRefusesAnUnknownChannelAndASingularMatrix) {
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,pERK,1,0,0,1")),
              "$SPILLOVER: found channel 'pERK', allowed the channels in $PnN");
    const std::string singular =
        "$SPILLOVER: found a singular matrix: import without compensation with --compensate no";
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "2,A,B,1,2,2,4")), singular);
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "1,A,0")), singular);
    EXPECT_EQ(compensation_error(with_spillover({1, 2, 3}, "")),
              "$SPILLOVER: missing: import without compensation with --compensate no");
}
