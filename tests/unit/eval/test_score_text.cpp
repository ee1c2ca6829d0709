// SPDX-License-Identifier: MIT
#include "eval/score_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

using popflow::eval::deserialise_pairs;
using popflow::eval::ScoredPair;
using popflow::eval::serialise_pair;

TEST(ScoreText, RoundTripsPairs) {
    ScoredPair one{.pair = 7, .embedding = {0.5F, -1.0F}};
    one.scores.push_back({.pair = 7, .predictor = "model", .n_predicted = 3, .n_target = 4, .rank = 2});
    one.scores[0].scores.w2 = 1.25;
    one.scores.push_back({.pair = 7, .predictor = "identity", .status = "failed", .message = "why"});
    one.samples.push_back({.pair = 7, .control = {2, 3}, .mean_shift = {2, 3}, .times = {0.5}});
    one.samples[0].control(1, 2) = 4;
    one.samples[0].flow.emplace_back(2, 3);
    std::string text;
    serialise_pair(one, text);
    serialise_pair({.pair = 9}, text);
    std::vector<ScoredPair> back;

    deserialise_pairs(text, back);

    ASSERT_EQ(back.size(), 2U);
    EXPECT_EQ(back[0].embedding, one.embedding);
    EXPECT_EQ(back[0].scores[0].scores.w2, 1.25);
    EXPECT_TRUE(std::isnan(back[0].scores[0].scores.w1));
    EXPECT_EQ(back[0].scores[0].rank, 2);
    EXPECT_EQ(back[0].scores[1].message, "why");
    EXPECT_EQ(back[1].pair, 9U);
    EXPECT_EQ(back[0].samples[0].control(1, 2), 4);
    EXPECT_EQ(back[0].samples[0].flow[0].rows(), 2U);
    EXPECT_EQ(back[0].samples[0].mean_shift.cols(), 3U);
    EXPECT_TRUE(back[1].samples.empty());
    EXPECT_THROW(deserialise_pairs(text.substr(0, text.size() - 3), back), popflow::core::Error);
}
