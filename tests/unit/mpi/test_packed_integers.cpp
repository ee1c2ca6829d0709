// SPDX-License-Identifier: MIT
#include "mpi/packed_integers.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/random.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::mpi::pack;
using popflow::mpi::packed_words;
using popflow::mpi::PackedPiece;
using popflow::mpi::scale_integers;

namespace {

constexpr std::int64_t min_wide = std::int64_t{1} << 39;  // smallest integer that does not fit into 5 bytes

// Returns random integers of both signs with at most `bits` bits.
std::vector<std::int64_t> random_integers(std::size_t count, int bits) {
    Stream stream(count, Purpose::test, static_cast<std::uint64_t>(bits), 0);
    std::vector<std::int64_t> values(count);
    for (std::int64_t& v : values) {
        v = static_cast<std::int64_t>(stream.below(std::size_t{1} << bits)) - (std::int64_t{1} << (bits - 1));
    }
    return values;
}

std::vector<std::uint64_t> packed(const std::vector<std::int64_t>& values) {
    std::vector<std::uint64_t> words(packed_words(values.size()), 0xDEADBEEF);
    words.resize(pack(values, words.data()));
    return words;
}

}  // namespace

TEST(PackedIntegers, AddAndReadThePackedValues) {
    for (const std::size_t count : {1UL, 7UL, 8UL, 1001UL, 40000UL}) {
        for (const int bits : {8, 33, 40, 41, 62}) {
            const std::vector<std::int64_t> values = random_integers(count, bits);
            const std::vector<std::uint64_t> words = packed(values);
            const PackedPiece piece(words.data());
            std::vector<std::int64_t> total = random_integers(count, 30);
            std::vector<std::int64_t> expected = total;
            for (std::size_t i = 0; i < count; ++i) expected[i] += values[i];
            std::vector<float> from_sum(count);
            std::vector<float> from_piece(count);

            piece.add_and_scale(total.data(), 0.125, from_piece.data());
            piece.add_to(total.data());
            scale_integers(total, 0.125, from_sum.data());

            ASSERT_EQ(piece.count(), count);
            ASSERT_EQ(piece.words(), words.size());
            ASSERT_EQ(total, expected) << count << " numbers of " << bits << " bits";
            ASSERT_EQ(from_piece, from_sum);
            for (std::size_t i = 0; i < count; ++i) {
                ASSERT_EQ(from_sum[i], static_cast<float>(0.125 * static_cast<double>(expected[i])));
            }
        }
    }
}

TEST(PackedIntegers, UseFiveBytesIfAllValuesFit) {
    std::vector<std::int64_t> values(8000, -min_wide);
    values[77] = min_wide - 1;
    EXPECT_EQ(packed(values).size(), 1 + 5 * values.size() / 8);

    for (const std::int64_t wide : {min_wide, -min_wide - 1, std::numeric_limits<std::int64_t>::min()}) {
        values[7999] = wide;
        EXPECT_EQ(packed(values).size(), 1 + values.size());
    }
}
