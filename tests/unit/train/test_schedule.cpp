// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "train/trainer.hpp"

using popflow::train::learning_rate;
using popflow::train::Schedule;
using popflow::train::TrainOptions;

TEST(LearningRate, WarmsUpLinearly) {
    const TrainOptions options{.steps = 1000, .rate = 2, .warmup_steps = 10};
    EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(options, 4), 1.0);
    EXPECT_DOUBLE_EQ(learning_rate(options, 9), 2.0);
    EXPECT_DOUBLE_EQ(learning_rate(options, 10), 2.0);
}

TEST(LearningRate, FallsAlongHalfACosine) {
    const TrainOptions options{.steps = 110, .rate = 2, .warmup_steps = 10};
    EXPECT_NEAR(learning_rate(options, 60), 1.0, 1e-12);
    EXPECT_NEAR(learning_rate(options, 110), 0.0, 1e-12);
    EXPECT_GT(learning_rate(options, 109), 0.0);
}

TEST(LearningRate, MayBeConstant) {
    const TrainOptions options{.steps = 110, .rate = 2, .schedule = Schedule::constant, .warmup_steps = 0};
    EXPECT_DOUBLE_EQ(learning_rate(options, 0), 2);
    EXPECT_DOUBLE_EQ(learning_rate(options, 109), 2);
}
