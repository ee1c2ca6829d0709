// SPDX-License-Identifier: MIT
#include "metrics/set_scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"

using popflow::metrics::ItemPair;
using popflow::metrics::NearestSearch;
using popflow::metrics::score_sets;
using popflow::metrics::SetScores;

namespace {

NearestSearch search_of(const std::vector<double>& positions, double bound_share = -1) {
    const auto values = [positions](double share) {
        return [positions, share](std::span<const ItemPair> pairs) {
            std::vector<double> result;
            for (const ItemPair& pair : pairs)
                result.push_back(share * std::fabs(positions[pair.a] - positions[pair.b]));
            return result;
        };
    };
    std::vector<NearestSearch::PairValues> bounds;
    if (bound_share >= 0) bounds.emplace_back(values(bound_share));
    return {positions.size(), values(1), std::move(bounds)};
}

std::vector<double> random_positions(std::size_t n, std::uint64_t key) {
    popflow::core::Stream stream(1, popflow::core::Purpose::test, 77, key);
    std::vector<double> positions(n);
    for (double& position : positions) position = stream.uniform();
    return positions;
}

}  // namespace

TEST(SetScores, ByHand) {
    // Real: 0, 1, 10. Generated: 1.2, 10.5, 30. Training: 1.25, 28.
    const std::vector<double> positions{0, 1, 10, 1.2, 10.5, 30, 1.25, 28};
    NearestSearch search = search_of(positions);
    const SetScores scores = score_sets({3, 3, 2}, search, 0, 1);
    // Nearest: 0 -> 1 (real), 1 -> 1.2, 10 -> 10.5, 1.2 -> 1, 10.5 -> 10, 30 -> 10.5 (generated).
    EXPECT_DOUBLE_EQ(scores.nna, 2.0 / 6);
    EXPECT_DOUBLE_EQ(scores.nna_real, 1.0 / 3);
    EXPECT_DOUBLE_EQ(scores.nna_generated, 1.0 / 3);
    EXPECT_DOUBLE_EQ(scores.nnd, 1.0 / 6);
    EXPECT_DOUBLE_EQ(scores.matching, (1.2 + 0.2 + 0.5) / 3);
    EXPECT_DOUBLE_EQ(scores.coverage, 2.0 / 3);   // 1, 10, 10
    EXPECT_DOUBLE_EQ(scores.memorised, 2.0 / 3);  // 1.2 and 30
    EXPECT_DOUBLE_EQ(scores.training_ratio, (0.05 + 9.25 + 2) / (1.25 + 0.25 + 8.75));
    EXPECT_TRUE(std::isnan(scores.p_value));
}

TEST(SetScores, PruningChangesNoScore) {
    for (std::uint64_t key = 0; key < 20; ++key) {
        std::vector<double> positions = random_positions(70, key);
        for (std::size_t i = 0; i < 10; ++i) positions[60 - i] = positions[i];  // ties
        NearestSearch all = search_of(positions);
        NearestSearch pruned = search_of(positions, 0.8);
        const SetScores a = score_sets({30, 25, 15}, all, 100, key);
        const SetScores b = score_sets({30, 25, 15}, pruned, 100, key);
        EXPECT_EQ(a.nna, b.nna);
        EXPECT_EQ(a.nna_real, b.nna_real);
        EXPECT_EQ(a.nna_generated, b.nna_generated);
        EXPECT_EQ(a.p_value, b.p_value);
        EXPECT_EQ(a.matching, b.matching);
        EXPECT_EQ(a.coverage, b.coverage);
        EXPECT_EQ(a.memorised, b.memorised);
        EXPECT_EQ(a.training_ratio, b.training_ratio);
        EXPECT_LT(pruned.distances_computed(), all.distances_computed() / 2);
    }
}

TEST(SetScores, PValuesOfEqualSetsAreUniform) {
    std::vector<double> p_values;
    double mean = 0;
    for (std::uint64_t key = 0; key < 200; ++key) {
        // In the plane the neighbours of different items are less dependent than on a line.
        const std::vector<double> x = random_positions(60, 1000 + 2 * key);
        const std::vector<double> y = random_positions(60, 1001 + 2 * key);
        NearestSearch search(60, [&](std::span<const ItemPair> pairs) {
            std::vector<double> result;
            for (const ItemPair& pair : pairs)
                result.push_back(std::hypot(x[pair.a] - x[pair.b], y[pair.a] - y[pair.b]));
            return result;
        });
        const SetScores scores = score_sets({30, 30}, search, 500, key);
        p_values.push_back(scores.p_value);
        mean += scores.nna / 200;
    }
    // The mean under equality is 29 / 59. Its standard error is 0.075 / sqrt(200).
    EXPECT_NEAR(mean, 29.0 / 59, 3 * 0.075 / std::sqrt(200.0));
    // Kolmogorov-Smirnov: the critical value at 1 % is 1.63 / sqrt(200).
    std::ranges::sort(p_values);
    double largest = 0;
    for (std::size_t i = 0; i < p_values.size(); ++i)
        largest = std::max({largest, static_cast<double>(i + 1) / 200 - p_values[i],
                            p_values[i] - static_cast<double>(i) / 200});
    EXPECT_LT(largest, 1.63 / std::sqrt(200.0));
}

TEST(SetScores, SetsApartHaveASmallPValue) {
    std::vector<double> positions = random_positions(40, 5);
    for (std::size_t i = 20; i < 40; ++i) positions[i] += 5;
    NearestSearch search = search_of(positions, 1);
    const SetScores scores = score_sets({20, 20}, search, 999, 1);
    EXPECT_EQ(scores.nna, 1);
    EXPECT_EQ(scores.nnd, 0.5);
    EXPECT_LT(scores.p_value, 0.01);
    EXPECT_EQ(scores.coverage, 1.0 / 20);
}

// Copies of the real populations: every nearest neighbour is of the other set.
TEST(SetScores, CopiesHaveANearestNeighbourAccuracyOfZero) {
    std::vector<double> positions = random_positions(40, 6);
    std::copy_n(positions.begin(), 20, positions.begin() + 20);
    NearestSearch search = search_of(positions, 0.5);
    const SetScores scores = score_sets({20, 20}, search, 999, 1);
    EXPECT_EQ(scores.nna, 0);
    EXPECT_LT(scores.p_value, 0.01);
    EXPECT_EQ(scores.matching, 0);
    EXPECT_EQ(scores.coverage, 1);
}

TEST(SetScores, RefusesSetsOfOne) {
    NearestSearch search = search_of({0, 1, 2});
    EXPECT_THROW(score_sets({1, 2}, search, 0, 1), popflow::core::ShapeMismatch);
    EXPECT_THROW(score_sets({2, 1}, search, 0, 1), popflow::core::ShapeMismatch);
}
