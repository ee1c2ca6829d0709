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

TEST(LearningRate, DecaysAlongHalfACosine) {
    const TrainOptions options{.steps = 110, .rate = 2, .warmup_steps = 10};
    EXPECT_NEAR(learning_rate(options, 60), 1.0, 1e-12);
    EXPECT_NEAR(learning_rate(options, 110), 0.0, 1e-12);
    EXPECT_GT(learning_rate(options, 109), 0.0);
}

TEST(LearningRate, StaysConstantForAConstantSchedule) {
    const TrainOptions options{.steps = 110, .rate = 2, .schedule = Schedule::constant, .warmup_steps = 0};
    EXPECT_DOUBLE_EQ(learning_rate(options, 0), 2);
    EXPECT_DOUBLE_EQ(learning_rate(options, 109), 2);
}

TEST(ShouldSerialiseSlots, IfThreadsWouldBeIdle) {
    using popflow::train::should_serialise_slots;
    EXPECT_TRUE(should_serialise_slots(1, 1, 1024));   // a single slot
    EXPECT_FALSE(should_serialise_slots(4, 4, 1024));  // one thread per slot
    EXPECT_FALSE(should_serialise_slots(4, 2, 1024));  // two slots at a time
    EXPECT_TRUE(should_serialise_slots(4, 8, 1024));   // eight blocks of rows per slot
    EXPECT_TRUE(should_serialise_slots(2, 3, 1024));   // 2 x 3 rounds of blocks instead of 8
    EXPECT_FALSE(should_serialise_slots(4, 6, 1024));  // 4 x 2 rounds of blocks instead of 8
    EXPECT_FALSE(should_serialise_slots(2, 64, 200));  // two blocks per slot
    EXPECT_FALSE(should_serialise_slots(2, 64, 100));  // one block per slot
}
