// SPDX-License-Identifier: MIT
#include "core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

using popflow::core::philox4x32;
using popflow::core::Purpose;
using popflow::core::Stream;

// Source: known-answer tests of Random123 (kat_vectors, philox4x32 10).
TEST(Philox, MatchesThePublishedTestVectors) {
    using Block = std::array<std::uint32_t, 4>;
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
              (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Stream, IsDeterminedByItsKey) {
    Stream a(7, Purpose::test, 1, 2);
    Stream same(7, Purpose::test, 1, 2);
    Stream other_step(7, Purpose::test, 2, 2);
    Stream swapped(7, Purpose::test, 2, 1);
    Stream other_seed(8, Purpose::test, 1, 2);

    const std::uint64_t first = a.next64();

    EXPECT_EQ(first, same.next64());
    EXPECT_NE(first, other_step.next64());
    EXPECT_NE(first, swapped.next64());
    EXPECT_NE(first, other_seed.next64());
}

TEST(Stream, UniformAndNormalHaveTheExpectedMoments) {
    Stream stream(1, Purpose::test);
    const int n = 200000;
    double u1 = 0;
    double u2 = 0;
    double z1 = 0;
    double z2 = 0;
    double z4 = 0;

    for (int i = 0; i < n; ++i) {
        const double u = stream.uniform();
        const double z = stream.normal();
        u1 += u;
        u2 += u * u;
        z1 += z;
        z2 += z * z;
        z4 += z * z * z * z;
    }

    // Five standard errors of each mean.
    EXPECT_NEAR(u1 / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
    EXPECT_NEAR(u2 / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
    EXPECT_NEAR(z1 / n, 0, 5 * std::sqrt(1.0 / n));
    EXPECT_NEAR(z2 / n, 1, 5 * std::sqrt(2.0 / n));
    EXPECT_NEAR(z4 / n, 3, 5 * std::sqrt(96.0 / n));
}

TEST(Stream, SampleIsDistinctAndInRange) {
    Stream stream(3, Purpose::test);

    const auto index = stream.sample(1000, 300);

    const std::set<std::uint32_t> distinct(index.begin(), index.end());
    EXPECT_EQ(index.size(), 300U);
    EXPECT_EQ(distinct.size(), 300U);
    EXPECT_LT(*distinct.rbegin(), 1000U);
}

TEST(Stream, BelowIsUniform) {
    Stream stream(4, Purpose::test);
    std::array<int, 6> count{};

    for (int i = 0; i < 60000; ++i) ++count.at(stream.below(6));

    for (int c : count) EXPECT_NEAR(c, 10000, 5 * std::sqrt(60000 * 5.0 / 36));
}
