// SPDX-License-Identifier: MIT
#include "mpi/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "core/random.hpp"

using popflow::mpi::guided_chunks;
using popflow::mpi::lanes_of_rank;
using popflow::mpi::part_bounds;
using popflow::mpi::partition_by_weight;

TEST(PartitionByWeight, MatchesTheExampleInTheDocumentation) {
    const std::vector<std::size_t> weights{9, 8, 7, 6, 5};
    const auto lanes = partition_by_weight(weights, 2);
    EXPECT_EQ(lanes[0], (std::vector<std::size_t>{0, 3, 4}));
    EXPECT_EQ(lanes[1], (std::vector<std::size_t>{1, 2}));
}

TEST(PartitionByWeight, AssignsEachItemOnceAndBalancesTheCounts) {
    popflow::core::Stream stream(1, popflow::core::Purpose::test);
    for (const std::size_t n : {0U, 1U, 7U, 1000U}) {
        std::vector<std::size_t> weights(n);
        for (auto& w : weights) w = 1000 + stream.below(29000);
        for (std::size_t count = 1; count <= 9; ++count) {
            const auto lanes = partition_by_weight(weights, count);

            std::vector<std::size_t> all;
            std::size_t smallest = n;
            std::size_t largest = 0;
            for (const auto& lane : lanes) {
                all.insert(all.end(), lane.begin(), lane.end());
                smallest = std::min(smallest, lane.size());
                largest = std::max(largest, lane.size());
            }
            std::sort(all.begin(), all.end());
            std::vector<std::size_t> expected(n);
            std::iota(expected.begin(), expected.end(), std::size_t{0});
            EXPECT_EQ(all, expected);
            EXPECT_LE(largest - smallest, 1U);
        }
    }
}

TEST(PartitionByWeight, BalancesTheWeights) {
    popflow::core::Stream stream(2, popflow::core::Purpose::test);
    std::vector<std::size_t> weights(927);
    for (auto& w : weights) w = 1000 + stream.below(29000);

    const auto lanes = partition_by_weight(weights, 8);

    std::vector<std::size_t> load;
    for (const auto& lane : lanes) {
        load.push_back(std::accumulate(lane.begin(), lane.end(), std::size_t{0},
                                       [&](std::size_t sum, std::size_t i) { return sum + weights[i]; }));
    }
    const auto [low, high] = std::minmax_element(load.begin(), load.end());
    EXPECT_LT(static_cast<double>(*high), 1.02 * static_cast<double>(*low));
}

TEST(LanesOfRank, AssignEachLaneToOneRank) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
        std::vector<int> owner(6, -1);
        for (int rank = 0; rank < ranks; ++rank) {
            for (std::size_t lane : lanes_of_rank(6, rank, ranks)) {
                EXPECT_EQ(owner[lane], -1) << "lane " << lane << " on " << ranks << " ranks";
                owner[lane] = rank;
            }
        }
        EXPECT_EQ(std::count(owner.begin(), owner.end(), -1), 0);
    }
}

TEST(PartBounds, CoverAllElementsInWholeBlocks) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
        const auto bounds = part_bounds(70, 16, ranks);
        ASSERT_EQ(bounds.size(), static_cast<std::size_t>(ranks) + 1);
        EXPECT_EQ(bounds.front(), 0U);
        EXPECT_EQ(bounds.back(), 70U);
        for (std::size_t r = 0; r + 1 < bounds.size(); ++r) {
            EXPECT_LE(bounds[r], bounds[r + 1]) << "rank " << r << " of " << ranks;
            EXPECT_TRUE(bounds[r] % 16 == 0 || bounds[r] == 70)
                << "rank " << r << " of " << ranks << " begins at element " << bounds[r];
        }
    }
    EXPECT_EQ(part_bounds(70, 16, 2), (std::vector<std::size_t>{0, 32, 70}));
}

TEST(PartBounds, GiveAllRanksTheSameNumberOfBlocksUpToOne) {
    for (const std::size_t size : {0U, 1U, 16U, 70U, 1000U}) {
        for (int ranks = 1; ranks <= 9; ++ranks) {
            const auto bounds = part_bounds(size, 16, ranks);
            const std::size_t smallest = (size + 15) / 16 / static_cast<std::size_t>(ranks);
            for (std::size_t r = 0; r + 1 < bounds.size(); ++r) {
                SCOPED_TRACE("rank " + std::to_string(r) + " of " + std::to_string(ranks) + ", " +
                             std::to_string(size) + " elements");
                const std::size_t blocks = (bounds[r + 1] - bounds[r] + 15) / 16;
                EXPECT_GE(blocks, smallest);
                EXPECT_LE(blocks, smallest + 1);
            }
        }
    }
}

TEST(GuidedChunks, MatchAnExampleByHand) {
    // Each chunk is half of a rank's share of the remaining items: 10 / 4, 7 / 4, 5 / 4, ...
    EXPECT_EQ(guided_chunks(10, 2, 8), (std::vector<std::size_t>{3, 2, 2, 1, 1, 1}));
    EXPECT_EQ(guided_chunks(10, 1, 2), (std::vector<std::size_t>{2, 2, 2, 2, 1, 1}));
    EXPECT_TRUE(guided_chunks(0, 3, 2).empty());
}

TEST(GuidedChunks, CoverAllItemsAndEndWithChunksOfOne) {
    for (const std::size_t ranks : {1U, 2U, 7U}) {
        for (const std::size_t items : {1U, 5U, 1000U}) {
            const auto lengths = guided_chunks(items, ranks, 16);
            EXPECT_EQ(std::accumulate(lengths.begin(), lengths.end(), std::size_t{0}), items);
            EXPECT_TRUE(std::ranges::is_sorted(lengths, std::greater<>()));
            EXPECT_LE(lengths.front(), 16U);
            EXPECT_EQ(lengths.back(), 1U);
        }
    }
}
