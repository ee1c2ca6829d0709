// SPDX-License-Identifier: MIT
#include "apps/progress_line.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

using popflow::apps::duration_text;
using popflow::apps::magnitude_text;
using popflow::apps::progress_line;
using popflow::apps::ProgressState;
using popflow::apps::RecentRate;

namespace {

const ProgressState half{.what = "train",
                         .done = 50,
                         .total = 100,
                         .note = "loss 1.5",
                         .rate = 34200,
                         .unit = "cells",
                         .left = 63};

}  // namespace

TEST(ProgressLine, ShowsEveryFieldInALog) {
    EXPECT_EQ(progress_line(half, 0), "train 50/100  loss 1.5  34.2k cells/s  1 min 03 s left");
    EXPECT_EQ(progress_line({.what = "predict", .done = 3, .total = 3, .rate = 2}, 0), "predict 3/3  2/s");
}

TEST(ProgressLine, ShowsABarIfItFits) {
    EXPECT_EQ(progress_line(half, 79),
              "train 50/100  [=========>           ]  loss 1.5  34.2k cells/s  1 min 03 s left");
    ProgressState done = half;
    done.done = 100;
    EXPECT_EQ(progress_line(done, 68).substr(0, 23), "train 100/100  loss 1.5");
}

TEST(ProgressLine, DropsFieldsThatDoNotFit) {
    EXPECT_EQ(progress_line(half, 53), "train 50/100  loss 1.5  1 min 03 s left");
    EXPECT_EQ(progress_line(half, 38), "train 50/100  1 min 03 s left");
    EXPECT_EQ(progress_line(half, 20), "train 50/100");
    for (std::size_t width = 1; width < 120; ++width) EXPECT_LE(progress_line(half, width).size(), width);
}

TEST(ProgressLine, DurationsAndMagnitudesAreShort) {
    EXPECT_EQ(duration_text(59.4), "59 s");
    EXPECT_EQ(duration_text(7500), "2 h 05 min");
    EXPECT_EQ(magnitude_text(0.25), "0.25");
    EXPECT_EQ(magnitude_text(999.4), "999");
    EXPECT_EQ(magnitude_text(999.6), "1k");
    EXPECT_EQ(magnitude_text(1.25e6), "1.25M");
}

TEST(RecentRate, ForgetsASlowStart) {
    RecentRate rate;
    EXPECT_EQ(rate.value(), 0);
    rate.add(0, 0);
    rate.add(100, 1);  // one item in 100 s
    EXPECT_EQ(rate.value(), 0.01);
    for (int s = 1; s <= 40; ++s) {
        rate.add(100 + s - 0.5, 1 + 10 * s - 5);
        rate.add(100 + s, 1 + 10 * s);
    }
    EXPECT_NEAR(rate.value(), 10, 1e-12);
}
