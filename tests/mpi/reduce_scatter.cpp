// SPDX-License-Identifier: MIT
#include "mpi/reduce_scatter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "mpi/partition.hpp"
#include "support/elements.hpp"
#include "support/ranks.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::mpi::Communicator;
using popflow::mpi::part_bounds;
using popflow::mpi::ReduceScatter;
using popflow::support::communicator;
using popflow::support::elements_equal;

namespace {

// Most summands are small enough to be packed into 5 bytes. The others need 8 bytes, and their sum wraps on 3
// ranks.
std::int64_t summand(int rank, std::size_t i) {
    const std::int64_t large = i / 500 % 3 == 1 ? std::numeric_limits<std::int64_t>::max() / 2 : 0;
    const std::int64_t cancels = rank % 2 == 0 ? large : -large;
    return cancels + static_cast<std::int64_t>(i) * (rank % 2 == 0 ? rank + 1 : -rank);
}

// Part of this rank: element i is value(first + i).
template <class F>
std::vector<float> own_part(const std::vector<std::size_t>& bounds, const F& value) {
    const auto rank = static_cast<std::size_t>(communicator().rank());
    std::vector<float> part;
    for (std::size_t i = bounds[rank]; i < bounds[rank + 1]; ++i) part.push_back(value(i));
    return part;
}

// Returns scale times the sum of summand() over all ranks, modulo 2^64.
float scaled_sum(std::size_t i, double scale) {
    std::uint64_t sum = 0;
    for (int rank = 0; rank < communicator().size(); ++rank)
        sum += static_cast<std::uint64_t>(summand(rank, i));
    return static_cast<float>(scale * static_cast<double>(static_cast<std::int64_t>(sum)));
}

// Finishes a sum. Returns the part of this rank. Collective.
std::vector<float> finish(ReduceScatter& sum, const std::vector<std::size_t>& bounds, double scale) {
    const auto rank = static_cast<std::size_t>(communicator().rank());
    std::vector<float> out(bounds[rank + 1] - bounds[rank], -1.0F);
    sum.finish(scale, out);
    return out;
}

// Writes the summands from the end backwards in pieces of random length, different on each rank, and marks
// each as final. Expects that this rank receives the sum of its part. Collective.
void expect_sum(ReduceScatter& sum, const std::vector<std::size_t>& bounds, std::size_t pieces) {
    const auto own = static_cast<std::size_t>(communicator().rank());
    SCOPED_TRACE(std::to_string(bounds.back()) + " elements in at most " + std::to_string(pieces + 1) +
                 " pieces, of which this rank receives [" + std::to_string(bounds[own]) + ", " +
                 std::to_string(bounds[own + 1]) + ")");
    const std::size_t size = bounds.back();
    const int rank = communicator().rank();
    std::vector<std::int64_t> values(size);
    Stream stream(size, Purpose::test, static_cast<std::uint64_t>(rank), pieces);
    sum.start(values, bounds);
    EXPECT_TRUE(sum.started());
    std::size_t end = size;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t first = end - std::min<std::size_t>(end, stream.below(2 * size / pieces + 2));
        for (std::size_t i = first; i < end; ++i) values[i] = summand(rank, i);
        sum.mark_final_from(first);
        end = first;
    }
    for (std::size_t i = 0; i < end; ++i) values[i] = summand(rank, i);
    const std::vector<float> part = finish(sum, bounds, 0.5);
    const std::vector<float> expected = own_part(bounds, [](std::size_t i) { return scaled_sum(i, 0.5); });
    EXPECT_PRED_FORMAT2(elements_equal, part, expected);
    EXPECT_FALSE(sum.started());
}

std::vector<std::size_t> bounds_of(std::size_t size) {
    return part_bounds(size, 64, communicator().size());
}

}  // namespace

TEST(ReduceScatter, SumsThePartOfEachRank) {
    ReduceScatter sum(communicator());
    expect_sum(sum, bounds_of(1000), 0);
}

TEST(ReduceScatter, DoesNotDependOnThePiecesThatBecomeFinal) {
    for (const std::size_t size : {100UL, 64UL, 100000UL, 1000UL}) {
        for (const std::size_t pieces : {1UL, 7UL, 200UL}) {
            ReduceScatter sum(communicator());
            expect_sum(sum, bounds_of(size), pieces);
        }
    }
}

TEST(ReduceScatter, CanBeUsedForConsecutiveSumsOfDifferentSizes) {
    ReduceScatter sum(communicator());
    for (const std::size_t size : {100UL, 64UL, 100000UL, 0UL, 1000UL}) {
        for (const std::size_t pieces : {0UL, 1UL, 7UL, 200UL}) expect_sum(sum, bounds_of(size), pieces);
    }
}

TEST(ReduceScatter, SumsLargeMessagesInManyPieces) {
    ReduceScatter sum(communicator());
    expect_sum(sum, bounds_of(2000000), 1000);
}

TEST(ReduceScatter, AcceptsRanksWithoutElements) {
    const auto ranks = static_cast<std::size_t>(communicator().size());
    ReduceScatter sum(communicator());
    for (std::size_t owner = 0; owner < ranks; ++owner) {
        SCOPED_TRACE("all elements belong to rank " + std::to_string(owner));
        std::vector<std::size_t> bounds(ranks + 1, 0);
        std::fill(bounds.begin() + static_cast<std::ptrdiff_t>(owner) + 1, bounds.end(), std::size_t{300});
        for (const std::size_t pieces : {0UL, 5UL}) expect_sum(sum, bounds, pieces);
    }
}

TEST(ReduceScatter, AcceptsAnArrayWithoutElements) {
    ReduceScatter sum(communicator());
    expect_sum(sum, bounds_of(0), 0);
    expect_sum(sum, bounds_of(0), 2);
}

TEST(ReduceScatter, WrapsSumsThatOverflow) {
    const int ranks = communicator().size();
    const std::vector<std::size_t> bounds = part_bounds(40, 4, ranks);
    std::vector<std::int64_t> values(40, std::numeric_limits<std::int64_t>::max());
    ReduceScatter sum(communicator());
    sum.start(values, bounds);
    const std::vector<float> part = finish(sum, bounds, 1);

    // 2^63 - 1 per rank, modulo 2^64: 2^63 - 1, -2, 2^63 - 3, -4.
    const float expected = ranks % 2 == 0 ? -static_cast<float>(ranks) : 0x1p63F;
    EXPECT_PRED_FORMAT2(elements_equal, part, own_part(bounds, [&](std::size_t) { return expected; }));
}

TEST(ReduceScatter, KeepsIntegersOfMoreThan53Bits) {
    // Only rank 0 has large summands, and the last rank takes them away again up to a small remainder.
    const Communicator& comm = communicator();
    const std::int64_t large = (std::int64_t{1} << 60) + 1;
    const std::vector<std::size_t> bounds = part_bounds(40, 4, comm.size());
    std::vector<std::int64_t> values(40, 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (comm.is_root()) values[i] += large + static_cast<std::int64_t>(i);
        if (comm.rank() == comm.size() - 1) values[i] -= large;
    }
    ReduceScatter sum(comm);
    sum.start(values, bounds);
    const std::vector<float> part = finish(sum, bounds, 1);
    EXPECT_PRED_FORMAT2(elements_equal, part,
                        own_part(bounds, [](std::size_t i) { return static_cast<float>(i); }));
}

TEST(ReduceScatter, OnlyOneRankMayMarkElements) {
    const std::vector<std::size_t> bounds = bounds_of(1000);
    for (int marking = 0; marking < communicator().size(); ++marking) {
        SCOPED_TRACE("rank " + std::to_string(marking) + " marks elements");
        ReduceScatter sum(communicator());
        expect_sum(sum, bounds, communicator().rank() == marking ? 9 : 0);
    }
}

TEST(ReduceScatter, DoesNotMixTheMessagesOfTwoCommunicators) {
    const int rank = communicator().rank();
    const Communicator other = Communicator::world();
    const std::vector<std::size_t> bounds = part_bounds(500, 4, other.size());
    ReduceScatter first(communicator());
    ReduceScatter second(other);
    std::vector<std::int64_t> ones(500, 1);
    std::vector<std::int64_t> hundreds(500, 100);
    first.start(ones, bounds);
    second.start(hundreds, bounds);
    // The order of the messages differs between the ranks.
    ReduceScatter& sent_first = rank % 2 == 0 ? first : second;
    ReduceScatter& sent_second = rank % 2 == 0 ? second : first;
    sent_first.mark_final_from(0);
    sent_second.mark_final_from(0);
    const std::vector<float> sum_of_ones = finish(first, bounds, 1);
    const std::vector<float> sum_of_hundreds = finish(second, bounds, 1);

    const auto ranks = static_cast<float>(other.size());
    EXPECT_PRED_FORMAT2(elements_equal, sum_of_ones, own_part(bounds, [&](std::size_t) { return ranks; }));
    EXPECT_PRED_FORMAT2(elements_equal, sum_of_hundreds,
                        own_part(bounds, [&](std::size_t) { return 100 * ranks; }));
}
