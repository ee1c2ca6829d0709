// SPDX-License-Identifier: MIT
#include "h5/lzf.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using Bytes = std::vector<std::uint8_t>;

namespace {

std::string expand(const Bytes& in, std::size_t room) {
    Bytes out(room);
    out.resize(popflow::h5::decompress_lzf(in, out));
    return {out.begin(), out.end()};
}

}  // namespace

TEST(Lzf, ExpandsLiteralsAndRepeats) {
    EXPECT_EQ(expand({2, 'a', 'b', 'c'}, 10), "abc");
    // length field 1: three bytes from three back
    EXPECT_EQ(expand({2, 'a', 'b', 'c', 1 << 5, 2}, 10), "abcabc");
    // overlap: one byte repeated; length field 7 and a further byte
    EXPECT_EQ(expand({0, 'x', 7 << 5, 1, 0}, 20), std::string(11, 'x'));
}

TEST(Lzf, DamagedDataGivesNothing) {
    EXPECT_EQ(expand({2, 'a', 'b'}, 10), "");
    EXPECT_EQ(expand({2, 'a', 'b', 'c'}, 2), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5}, 10), "");
    EXPECT_EQ(expand({0, 'a', 7 << 5}, 10), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5, 1}, 10), "");
    EXPECT_EQ(expand({0, 'a', 1 << 5, 0}, 3), "");
}
