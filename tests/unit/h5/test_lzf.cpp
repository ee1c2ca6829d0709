// SPDX-License-Identifier: MIT
#include "h5/lzf.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using Bytes = std::vector<std::uint8_t>;

namespace {

std::string expand(const Bytes& in, std::size_t capacity) {
    Bytes out(capacity);
    out.resize(popflow::h5::decompress_lzf(in, out));
    return {out.begin(), out.end()};
}

}  // namespace

TEST(Lzf, ExpandsLiteralsAndRepeats) {
    EXPECT_EQ(expand({2, 'a', 'b', 'c'}, 10), "abc");
    // Length field 1 repeats three bytes from three bytes back.
    EXPECT_EQ(expand({2, 'a', 'b', 'c', 1 << 5, 2}, 10), "abcabc");
    // An overlapping repeat of one byte. Length field 7 is followed by a second length byte.
    EXPECT_EQ(expand({0, 'x', 7 << 5, 1, 0}, 20), std::string(11, 'x'));
}

TEST(Lzf, ReturnsNothingForDamagedData) {
    EXPECT_EQ(expand({2, 'a', 'b'}, 10), "");
    EXPECT_EQ(expand({2, 'a', 'b', 'c'}, 2), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5}, 10), "");
    EXPECT_EQ(expand({0, 'a', 7 << 5}, 10), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5, 1}, 10), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5, 0}, 3), "");
}
