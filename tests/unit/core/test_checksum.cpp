// SPDX-License-Identifier: MIT
#include "core/checksum.hpp"

#include <gtest/gtest.h>

#include <vector>

using popflow::core::Checksum;

namespace {

std::string checksum_of(const std::vector<std::string>& texts) {
    Checksum checksum;
    for (const std::string& text : texts) checksum.add(text);
    return checksum.text();
}

}  // namespace

// Value of the reference implementation: xxhash.xxh3_64_hexdigest(struct.pack("<Q", 3) + b"abc") in Python.
TEST(Checksum, IsXxh3OfLengthAndBytes) {
    EXPECT_EQ(checksum_of({"abc"}), "7ef7c2a83cf8364e");
}

TEST(Checksum, DependsOnTheLengthsOfItsParts) {
    EXPECT_NE(checksum_of({"ab", "c"}), checksum_of({"a", "bc"}));
    EXPECT_NE(checksum_of({"abc", ""}), checksum_of({"abc"}));
}

TEST(Checksum, ChangesWithEveryBit) {
    const std::string before = checksum_of({std::string(100, 'x')});
    for (std::size_t i = 0; i < 800; ++i) {
        std::string text(100, 'x');
        text[i / 8] = static_cast<char>(text[i / 8] ^ (1 << (i % 8)));
        EXPECT_NE(checksum_of({text}), before);
    }
}
