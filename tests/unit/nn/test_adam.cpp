// SPDX-License-Identifier: MIT
#include "nn/adam.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "support/random_matrix.hpp"

using popflow::nn::adam_step;
using popflow::nn::AdamOptions;
using popflow::nn::AdamState;
using popflow::nn::block_squares;
using popflow::nn::norm_block;

TEST(Adam, MatchesThreeStepsByHand) {
    const AdamOptions options{.ema_decay = 0};
    std::vector<float> w{1.0F};
    AdamState state = AdamState::start(w);
    double m = 0;
    double v = 0;
    double expected = 1;
    const double gradients[] = {0.5, -0.25, 2.0};
    for (int s = 1; s <= 3; ++s) {
        const double g = gradients[s - 1];
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        expected -= 0.1 * (m / (1 - std::pow(0.9, s))) / (std::sqrt(v / (1 - std::pow(0.999, s))) + 1e-8);
        const std::vector<float> gradient{static_cast<float>(g)};

        adam_step(options, 0.1, 1.0F, gradient, w, state);

        EXPECT_NEAR(w[0], expected, 1e-6) << s;
        EXPECT_EQ(state.average[0], w[0]) << "no decay: the average is the weight";
    }
}

TEST(Adam, AverageFollowsTheWeights) {
    const AdamOptions options{.ema_decay = 0.5};
    std::vector<float> w{1.0F};
    AdamState state = AdamState::start(w);
    const std::vector<float> gradient{1.0F};

    adam_step(options, 0.1, 1.0F, gradient, w, state);

    const double keep = std::min(0.5, 2.0 / 11);
    EXPECT_NEAR(state.average[0], keep * 1.0 + (1 - keep) * static_cast<double>(w[0]), 1e-6);
}

TEST(Adam, UpdatesAPartAsIfItWereTheWholeVector) {
    const AdamOptions options{.ema_decay = 0.5};
    std::vector<float> both{1.0F, 2.0F, 3.0F, 4.0F};
    std::vector<float> part{3.0F, 4.0F};
    AdamState state = AdamState::start(both);
    AdamState part_state = AdamState::start(part);
    const std::vector<float> gradient{0.5F, -1.0F, 2.0F, 0.25F};

    adam_step(options, 0.1, 1.0F, {0, 0, 2, 0}, gradient, both, state);
    const std::vector<float> first(both.begin(), both.begin() + 2);
    for (std::uint64_t update = 0; update < 3; ++update) {
        adam_step(options, 0.1, 1.0F, {1, 2, 2, update}, gradient, both, state);
        adam_step(options, 0.1, 1.0F, std::span(gradient).subspan(2), part, part_state);
    }

    EXPECT_EQ(std::vector<float>(both.begin(), both.begin() + 2), first);
    EXPECT_EQ(std::vector<float>(both.begin() + 2, both.end()), part);
    EXPECT_EQ(state.average[3], part_state.average[1]);
    EXPECT_EQ(state.step, 4U);
}

TEST(BlockSquares, AddUpToTheSquaredNorm) {
    const std::vector<float> g(100000, 0.5F);
    std::vector<double> sums(7);
    block_squares(g, 0, g.size(), sums);
    EXPECT_NEAR(std::accumulate(sums.begin(), sums.end(), 0.0), 0.25 * 100000, 1e-9);
}

TEST(BlockSquares, AreTheSameForPartsOfWholeBlocks) {
    const auto g = popflow::support::random_matrix<float>(1, 5 * norm_block + 7, 1);
    std::vector<double> whole(6);
    std::vector<double> range_sums(6);
    block_squares(g.values(), 100, g.size(), whole);

    std::vector<double> sums(6);
    for (const auto& [first, last] :
         {std::pair{std::size_t{100}, 2 * norm_block}, {2 * norm_block, g.size()}}) {
        block_squares(g.values(), first, last, range_sums);
        for (std::size_t k = 0; k < 6; ++k) sums[k] += range_sums[k];
    }

    EXPECT_EQ(sums, whole);
}
