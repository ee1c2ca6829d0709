// SPDX-License-Identifier: MIT
#include "nn/adam.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

using popflow::nn::adam_step;
using popflow::nn::AdamOptions;
using popflow::nn::AdamState;

TEST(Adam, ThreeStepsByHand) {
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

TEST(Adam, TheAverageFollowsTheWeights) {
    const AdamOptions options{.ema_decay = 0.5};
    std::vector<float> w{1.0F};
    AdamState state = AdamState::start(w);
    const std::vector<float> gradient{1.0F};

    adam_step(options, 0.1, 1.0F, gradient, w, state);

    const double keep = std::min(0.5, 2.0 / 11);
    EXPECT_NEAR(state.average[0], keep * 1.0 + (1 - keep) * static_cast<double>(w[0]), 1e-6);
}

TEST(Adam, APartTakesItsTurnAsIfItWereAlone) {
    const AdamOptions options{.ema_decay = 0.5};
    std::vector<float> both{1.0F, 2.0F, 3.0F, 4.0F};
    std::vector<float> alone{3.0F, 4.0F};
    AdamState state = AdamState::start(both);
    AdamState own = AdamState::start(alone);
    const std::vector<float> gradient{0.5F, -1.0F, 2.0F, 0.25F};

    adam_step(options, 0.1, 1.0F, {0, 0, 2, 0}, gradient, both, state);
    const std::vector<float> first(both.begin(), both.begin() + 2);
    for (std::uint64_t update = 0; update < 3; ++update) {
        adam_step(options, 0.1, 1.0F, {1, 2, 2, update}, gradient, both, state);
        adam_step(options, 0.1, 1.0F, std::span(gradient).subspan(2), alone, own);
    }

    EXPECT_EQ(std::vector<float>(both.begin(), both.begin() + 2), first);
    EXPECT_EQ(std::vector<float>(both.begin() + 2, both.end()), alone);
    EXPECT_EQ(state.average[3], own.average[1]);
    EXPECT_EQ(state.step, 4U);
}

TEST(GradientNorm, IsTheEuclideanNorm) {
    const std::vector<float> g(100000, 0.5F);
    std::vector<double> sums;
    EXPECT_NEAR(popflow::nn::gradient_norm(g, sums), 0.5 * std::sqrt(100000.0), 1e-9);
}
