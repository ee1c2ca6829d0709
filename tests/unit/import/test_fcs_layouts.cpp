// SPDX-License-Identifier: MIT
// Places and layouts of DATA: offsets that disagree, several data sets, types and widths.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "import/fcs.hpp"
#include "support/fcs_fixture.hpp"

using namespace popflow::data_import;
using namespace popflow::support;
using Strings = std::vector<std::string>;

namespace {

/// Appends values of given widths to a stream of bits, and returns its bytes.
/// Big-endian streams begin with the highest bit of each value and byte, others with the lowest one.
std::string packed(const std::vector<std::uint64_t>& values, const std::vector<std::size_t>& widths,
                   Order order) {
    std::vector<bool> bits;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t width = widths[i % widths.size()];
        for (std::size_t k = 0; k < width; ++k)
            bits.push_back((values[i] >> (order == Order::big ? width - 1 - k : k) & 1U) != 0);
    }
    std::string bytes((bits.size() + 7) / 8, '\0');
    for (std::size_t k = 0; k < bits.size(); ++k) {
        const std::size_t at = order == Order::big ? 7 - k % 8 : k % 8;
        if (bits[k]) bytes[k / 8] = static_cast<char>(static_cast<unsigned char>(bytes[k / 8]) | 1U << at);
    }
    return bytes;
}

/// Returns a file of `n` events of integer channels with the given widths, without DATA.
FcsBytes integers(std::size_t n, const std::vector<std::size_t>& widths, Order order = Order::little) {
    FcsBytes fcs;
    fcs.set("$BYTEORD", order == Order::little ? "1,2,3,4" : "4,3,2,1")
        .set("$DATATYPE", "I")
        .set("$MODE", "L");
    fcs.set("$PAR", std::to_string(widths.size())).set("$TOT", std::to_string(n)).set("$NEXTDATA", "0");
    for (std::size_t j = 0; j < widths.size(); ++j) {
        const std::string prefix = "$P" + std::to_string(j + 1);
        fcs.set(prefix + "B", std::to_string(widths[j]))
            .set(prefix + "N", std::string(1, static_cast<char>('A' + j)));
        fcs.set(prefix + "E", "0,0").set(prefix + "R", std::to_string(std::pow(2.0, widths[j])));
    }
    return fcs;
}

class FcsLayout : public FcsFileTest {
  protected:
    /// Returns two_events() with the keywords $BEGINDATA and $ENDDATA, and other offsets in the header.
    std::string with_ranges(FcsBytes fcs, std::int64_t header_shift, std::int64_t keyword_shift,
                            std::int64_t header_end = 0, std::int64_t keyword_end = 0) const {
        fcs.set("$BEGINDATA", "0000").set("$ENDDATA", "0000");
        const auto begin = static_cast<std::int64_t>(fcs.data_begin());
        const auto end = static_cast<std::int64_t>(fcs.data_end());
        const auto four = [](std::int64_t n) {
            const std::string digits = std::to_string(n);
            return std::string(4 - digits.size(), '0') + digits;
        };
        fcs.set("$BEGINDATA", four(begin + keyword_shift))
            .set("$ENDDATA", four(end + keyword_shift + keyword_end));
        const auto field = [](std::int64_t n) { return FcsBytes::field(static_cast<std::size_t>(n)); };
        return fcs.bytes().replace(26, 16,
                                   field(begin + header_shift) + field(end + header_shift + header_end));
    }
    FcsFile open_bytes(const std::string& bytes, std::size_t data_set = 1) const {
        store(bytes);
        return FcsFile(path(), data_set);
    }
    static std::vector<float> expected() { return {1.5F, -2.0F, 1e-3F, 4e6F}; }
};

}  // namespace

TEST_F(FcsLayout, TakesTheRangeOfDataThatIsPossible) {
    FcsBytes fcs = two_events();
    fcs.tail = std::string(64, '\0');
    // Within TEXT, behind the end of the file, and with room for one event only.
    for (const std::int64_t shift : {-16, -1, 65, 10000 - 300}) {
        const FcsFile by_keywords = open_bytes(with_ranges(fcs, shift, 0));
        EXPECT_EQ(events(by_keywords), expected()) << "wrong header, " << shift;
        EXPECT_EQ(by_keywords.notes().size(), 1U);
        const FcsFile by_header = open_bytes(with_ranges(fcs, 0, shift));
        EXPECT_EQ(events(by_header), expected()) << "wrong keywords, " << shift;
        EXPECT_EQ(by_header.notes().size(), 1U);
    }
    EXPECT_EQ(events(open_bytes(with_ranges(fcs, 8, 0, -8))), expected());
    EXPECT_TRUE(open_bytes(with_ranges(fcs, 0, 0)).notes().empty());
}

TEST_F(FcsLayout, PrefersTheHeaderIfBothRangesArePossible) {
    FcsBytes fcs = two_events();
    fcs.data += float_bytes({7, 8});
    const std::string bytes = with_ranges(fcs, 0, 8, -8, -8);
    const FcsFile file = open_bytes(bytes);
    EXPECT_EQ(events(file), expected());
    const auto place = [&](std::size_t shift) {
        const std::size_t begin = bytes.size() - fcs.data.size() + shift;
        return "bytes " + std::to_string(begin) + " to " + std::to_string(begin + 15);
    };
    EXPECT_EQ(file.notes(), (Strings{"DATA is read from " + place(0) + " of the header, not from " +
                                     place(8) + " of $BEGINDATA and $ENDDATA"}));
}

TEST_F(FcsLayout, AcceptsEndsThatAreOneByteTooFar) {
    for (const std::int64_t header : {0, 1}) {
        for (const std::int64_t keywords : {0, 1}) {
            const FcsFile file = open_bytes(with_ranges(two_events(), 0, 0, header, keywords));
            EXPECT_EQ(events(file), expected());
            EXPECT_TRUE(file.notes().empty());
        }
    }
}

TEST_F(FcsLayout, NamesBothRangesIfNeitherIsPossible) {
    const std::string bytes = with_ranges(two_events(), -32, 4096 - 300);
    const std::string found = error_of_bytes(bytes);
    EXPECT_TRUE(contains(found, "DATA: found bytes "));
    EXPECT_TRUE(contains(found, " in the header, which overlap TEXT, bytes 58 to "));
    EXPECT_TRUE(contains(found, " in $BEGINDATA and $ENDDATA, which leave the file of "));
    EXPECT_TRUE(contains(found, ": the file is cut off or damaged, export it again"));
    const std::string cut = two_events().bytes();
    EXPECT_TRUE(contains(error_of_bytes(cut.substr(0, cut.size() - 3)), "which leave the file of"));
}

TEST_F(FcsLayout, SaysHowManyBytesOfDataAreNotRead) {
    FcsBytes fcs = two_events();
    fcs.data += float_bytes({7, 8, 9});
    const FcsFile file = open(fcs);
    EXPECT_EQ(events(file), expected());
    EXPECT_EQ(file.notes(), (Strings{"DATA has 12 bytes more than the 2 events of $TOT need: these bytes are "
                                     "ignored"}));
}

TEST_F(FcsLayout, ReadsOneOfSeveralDataSets) {
    FcsBytes first = two_events().set("$NEXTDATA", "0000");
    first.version = "FCS2.0";
    first.set("$NEXTDATA", "0" + std::to_string(first.bytes().size()));
    FcsBytes second = integers(1, {8, 8, 8});
    second.data = "\x01\x02\x03";
    FcsBytes third = two_events(Order::big);
    second.set("$NEXTDATA", "0000");
    second.set("$NEXTDATA", "0" + std::to_string(second.bytes().size()));
    const std::string bytes = first.bytes() + second.bytes() + third.bytes();
    const FcsFile one = open_bytes(bytes);
    EXPECT_EQ(events(one), expected());
    EXPECT_EQ(one.data_sets(), 3U);
    EXPECT_EQ(one.notes(), (Strings{"data set 1 of 3 is imported: choose another with --data-set"}));
    const FcsFile two = open_bytes(bytes, 2);
    EXPECT_EQ(events(two), (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(two.data_sets(), 3U);
    EXPECT_EQ(events(open_bytes(bytes, 3)), expected());
    EXPECT_EQ(error_of([&] { FcsFile(path(), 4); }), "found 3 data sets, but --data-set asks for number 4");
    // The offset of the third data set counts from the begin of the file.
    second.set("$NEXTDATA", "0" + std::to_string(first.bytes().size() + second.bytes().size()));
    EXPECT_EQ(events(open_bytes(first.bytes() + second.bytes() + third.bytes(), 3)), expected());
}

TEST_F(FcsLayout, IgnoresANextDataSetThatIsNone) {
    const FcsFile file = open(two_events().set("$NEXTDATA", "60"));
    EXPECT_EQ(events(file), expected());
    EXPECT_EQ(file.notes(), (Strings{"$NEXTDATA is ignored: found '60', where no data set begins"}));
    EXPECT_TRUE(open(two_events().set("$NEXTDATA", "0")).notes().empty());
    EXPECT_TRUE(open(two_events().set("$NEXTDATA", "100000")).notes().empty())
        << "an offset after the end of the file";
    EXPECT_TRUE(open(two_events().set("$NEXTDATA", "18446744073709551615")).notes().empty());
}

TEST_F(FcsLayout, ReadsPackedIntegersOfAnyWidth) {
    for (const Order order : {Order::little, Order::big}) {
        for (std::size_t width = 1; width <= 64; ++width) {
            const std::uint64_t all = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
            const std::vector<std::uint64_t> values{
                0, all, 0x5A5A5A5A5A5A5A5A & all, 1, 0x123456789ABCDEF & all, all};
            FcsBytes fcs = integers(2, {width, width, width}, order);
            fcs.data = packed(values, {width}, order);
            std::vector<float> numbers;
            for (const std::uint64_t v : values) numbers.push_back(static_cast<float>(v));
            const FcsFile file = open(fcs);
            EXPECT_EQ(events(file), numbers) << width << " bits";
            EXPECT_EQ(events(file, 1, 1), std::vector<float>(numbers.begin() + 3, numbers.end())) << width;
            EXPECT_TRUE(file.notes().empty());
        }
    }
}

TEST_F(FcsLayout, ReadsPackedIntegersOfDifferentWidths) {
    const std::vector<std::size_t> widths{10, 12, 3, 16, 1};
    const std::vector<std::uint64_t> values{1023, 5, 7, 65535, 0, 512, 4095, 2, 258, 1, 3, 2048, 4, 1, 1};
    for (const Order order : {Order::little, Order::big}) {
        FcsBytes fcs = integers(3, widths, order);
        fcs.data = packed(values, widths, order);
        EXPECT_EQ(events(open(fcs)), std::vector<float>(values.begin(), values.end()));
        fcs.set("$TOT", "");
        EXPECT_EQ(open(fcs).events(), 3U);
    }
    EXPECT_EQ(packed({1, 2}, {4}, Order::big), "\x12");
    EXPECT_EQ(packed({1, 2}, {4}, Order::little), "\x21");
}

TEST_F(FcsLayout, ReadsOddWidthsInWholeBytesIfDataHasThatLength) {
    FcsBytes fcs = integers(3, {10, 10});
    for (const std::uint64_t v : {1U, 1023U, 2U, 3U, 4U, 5U}) fcs.data += bytes_of(v, 2, Order::little);
    FcsFile file = open(fcs);
    EXPECT_EQ(events(file), (std::vector<float>{1, 1023, 2, 3, 4, 5}));
    EXPECT_EQ(file.notes(),
              (Strings{"integers are stored in whole bytes, although $PnB is not a multiple of 8: "
                       "DATA has the length of such a list"}));
    fcs = integers(3, {20});
    for (const std::uint64_t v : {1U, 1000000U, 3U}) fcs.data += bytes_of(v, 4, Order::little);
    EXPECT_EQ(events(open(fcs)), (std::vector<float>{1, 1000000, 3}));
}

TEST_F(FcsLayout, RefusesTooFewPackedEvents) {
    FcsBytes fcs = integers(8, {10, 10, 10, 10});
    fcs.data = std::string(32, '\0');
    EXPECT_TRUE(contains(error(fcs), "which hold 6 of the 8 events of 5 bytes in $TOT"));
    fcs = integers(8, {10});
    fcs.data = std::string(9, '\0');
    EXPECT_TRUE(contains(error(fcs), "which hold 7 of the 8 events of 10 bits in $TOT"));
}

TEST_F(FcsLayout, ReadsEveryOrderOfBytes) {
    const auto read = [&](const std::string& order, std::size_t bits, const std::string& data) {
        FcsBytes fcs = integers(1, {bits}).set("$BYTEORD", order);
        fcs.data = data;
        return error(fcs) == "no error" ? events(open(fcs)).front() : -1;
    };
    EXPECT_EQ(read("3,4,1,2", 32, "\x02\x01\x04\x03"), static_cast<float>(0x01020304));
    EXPECT_EQ(read("2,1,4,3", 32, "\x03\x04\x01\x02"), static_cast<float>(0x01020304));
    EXPECT_EQ(read("3,4,1,2", 16, "\x02\x01"), static_cast<float>(0x0102));
    EXPECT_EQ(read("2,1,4,3", 16, "\x01\x02"), static_cast<float>(0x0102));
    EXPECT_EQ(read("3,4,1,2", 8, "\x07"), 7.0F);
    EXPECT_EQ(read("1,2", 32, "\x04\x03\x02\x01"), static_cast<float>(0x01020304));
    EXPECT_EQ(read("2,1", 32, "\x01\x02\x03\x04"), static_cast<float>(0x01020304));
    EXPECT_EQ(read("1,2,3,4,5,6,7,8", 16, "\x02\x01"), static_cast<float>(0x0102));
    EXPECT_EQ(read("8,7,6,5,4,3,2,1", 16, "\x01\x02"), static_cast<float>(0x0102));
    EXPECT_EQ(read("5,6,7,8,1,2,3,4", 32, "\x04\x03\x02\x01"), static_cast<float>(0x01020304));
    EXPECT_EQ(read("5,6,7,8,1,2,3,4", 64, std::string("\0\0\0\1\0\0\0\2", 8)), 0x1p25F + 0x1p56F);
    EXPECT_EQ(read("4 3 2 1", 16, "\x01\x02"), static_cast<float>(0x0102));
    FcsBytes fcs = integers(1, {24}).set("$BYTEORD", "3,4,1,2");
    fcs.data = "abc";
    EXPECT_EQ(error(fcs), "$BYTEORD: found '3,4,1,2', which does not tell the order of the 3 bytes of $P1B");
    fcs = integers(1, {10}).set("$BYTEORD", "3,4,1,2");
    fcs.data = std::string("\1\2");
    EXPECT_EQ(error(fcs),
              "$BYTEORD: found '3,4,1,2'. It must be 1,2,3,4 or 4,3,2,1 if $PnB is not a multiple of 8");
}

TEST_F(FcsLayout, ReadsTypesOfTheirOwnOfParameters) {
    FcsBytes fcs =
        integers(2, {32, 64, 16}).set("$DATATYPE", "F").set("$P1DATATYPE", "F").set("$P2DATATYPE", "D");
    fcs.version = "FCS3.2";
    fcs.set("$P3DATATYPE", "I").set("$MODE", "");
    fcs.data = float_bytes({0.5F}) + double_bytes({1e-3}) + bytes_of(7, 2, Order::little) +
               float_bytes({-1}) + double_bytes({2}) + bytes_of(65535, 2, Order::little);
    EXPECT_EQ(events(open(fcs)), (std::vector<float>{0.5F, 1e-3F, 7, -1, 2, 65535}));
    EXPECT_TRUE(open(fcs).notes().empty());
    fcs.version = "FCS3.1";
    EXPECT_EQ(open(fcs).notes().front(), "$P2DATATYPE of FCS 3.2 is used in a file of version 3.1");
    fcs.set("$P3DATATYPE", "A");
    EXPECT_EQ(error(fcs), "$P3DATATYPE: found 'A'. It must be I, F or D, with one of these as $DATATYPE");
    fcs.set("$P3DATATYPE", "D");
    EXPECT_EQ(error(fcs), "$P3B: found 16. It must be 64 with $P3DATATYPE D");
}

TEST_F(FcsLayout, ReadsDelimitedNumbersInAscii) {
    FcsBytes fcs =
        integers(3, {8, 8}).set("$DATATYPE", "A").set("$P1B", "*").set("$P2B", "*").set("$BYTEORD", "");
    fcs.data = "1 2,30\t\t4\r\n5,600\n";
    const FcsFile file = open(fcs);
    EXPECT_EQ(events(file), (std::vector<float>{1, 2, 30, 4, 5, 600}));
    EXPECT_EQ(events(file, 1, 2), (std::vector<float>{30, 4, 5, 600}));
    EXPECT_EQ(open(fcs.set("$TOT", "")).events(), 3U);
    fcs.set("$TOT", "4");
    EXPECT_EQ(error(fcs), "DATA: found 3 events, but $TOT is 4: export the file again");
    fcs.set("$TOT", "99");
    EXPECT_TRUE(contains(error(fcs), "which cannot hold the 99 events of $TOT"));
    fcs.set("$TOT", "3").data = "1 2 3 x 5 6";
    EXPECT_EQ(error(fcs), "B: event 2: found 'x', which is no number");
}

TEST_F(FcsLayout, ReadsNumbersInAsciiOfFixedWidth) {
    FcsBytes fcs = integers(2, {8, 8}).set("$DATATYPE", "A").set("$P1B", "4").set("$P2B", "2");
    fcs.data = "0012 31024 7";
    EXPECT_EQ(events(open(fcs)), (std::vector<float>{12, 3, 1024, 7}));
    EXPECT_EQ(events(open(fcs.set("$P1E", "2,1").set("$P1R", "1024"))).at(2), 100.0F);
    fcs.set("$P2B", "*");
    EXPECT_EQ(error(fcs),
              "$PnB: found both * and numbers of characters. It must be one of them for all parameters");
    fcs.set("$P2B", "0");
    EXPECT_EQ(error(fcs), "$P2B: found 0. It must be * or a number of characters with $DATATYPE A");
}

TEST_F(FcsLayout, SaysThatScalesOfFloatsAreIgnored) {
    EXPECT_EQ(open(two_events().set("$P1E", "4,1").set("$P2E", "0,0")).notes(),
              (Strings{"logarithmic $PnE is ignored for floats, which are linear: A"}));
}

TEST_F(FcsLayout, ChecksOnlyTheChannelsThatAreRead) {
    FcsBytes fcs = two_events();
    fcs.data = float_bytes({1, std::numeric_limits<float>::quiet_NaN(), 3, 4});
    popflow::linalg::Matrix<float> x(2, 2);
    x.fill(-1);
    const std::vector<std::size_t> first{0};
    const std::vector<std::size_t> second{1};
    open(fcs).read(0, x, first, "");
    EXPECT_EQ(std::vector<float>(x.values().begin(), x.values().end()), (std::vector<float>{1, -1, 3, -1}));
    EXPECT_EQ(error_of([&] { open(fcs).read(0, x, second, "do this"); }),
              "B: event 1: found nan, which is no finite number: do this");
    FcsBytes scales = integers(1, {8, 8}).set("$P2E", "x").set("$P1R", "1024");
    scales.data = "ab";
    const FcsFile file = open(scales);
    file.check(first);
    EXPECT_EQ(error_of([&] { file.check(second); }),
              "$P2E: found 'x'. It must have two numbers, such as 0,0 or 4,1");
}
