// SPDX-License-Identifier: MIT
#include "models/start_map.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "models/training_distance.hpp"
#include "support/populations.hpp"

using popflow::support::rows;
namespace models = popflow::models;

TEST(TrainingDistance, IsTheMedianDistanceToTheNearestOtherUnit) {
    const auto features = rows({{0, 0}, {3, 4}, {3, 5}, {9, 12}});
    const std::size_t apart[] = {0, 1, 2, 3};
    // Nearest: 5, 1, 1, sqrt(36 + 49).
    EXPECT_NEAR(models::typical_distance(features, apart), 3, 1e-12);
    const std::size_t paired[] = {0, 1, 1, 2};
    // Nearest of another unit: 5, 5, sqrt(34), sqrt(85).
    EXPECT_NEAR(models::typical_distance(features, paired), (5 + std::sqrt(34.0)) / 2, 1e-12);
    const std::size_t three[] = {0, 1, 1};
    EXPECT_NEAR(models::typical_distance(features.view().row_block(0, 3), three), 5, 1e-12);
    const std::size_t one[] = {7, 7, 7, 7};
    EXPECT_EQ(models::typical_distance(features, one), 0);
}

TEST(TrainingDistance, IsTheDistanceToTheNearestRow) {
    const auto features = rows({{0, 0}, {3, 4}});
    const float query[] = {3, 3};
    EXPECT_NEAR(models::nearest_distance(features, query), 1, 1e-12);
    const float trained[] = {3, 4};
    EXPECT_EQ(models::nearest_distance(features, trained), 0);
    const float wrong[] = {1};
    EXPECT_THROW(models::nearest_distance(features, wrong), popflow::core::ShapeMismatch);
}

TEST(StartOptions, FactorShrinksWithTheDistanceBeyondTheGuard) {
    models::StartOptions start{.shrinkage = 0.5};
    EXPECT_EQ(start.factor(100), 0.5);
    start.guard_distance = 2;
    EXPECT_EQ(start.factor(2), 0.5);
    EXPECT_NEAR(start.factor(4), 0.125, 1e-15);
    start.guard_power = 1;
    EXPECT_NEAR(start.factor(4), 0.25, 1e-15);
    EXPECT_EQ(start.factor(std::numeric_limits<double>::quiet_NaN()), 0.5);
}

TEST(StartMap, MeanShiftIsTheShiftOfTheCondition) {
    const auto shifts = rows({{1, 2}, {3, 4}});
    const models::StartStatistics statistics{.mean_shifts = shifts};
    const float means[] = {0, 0};
    const auto change = models::start_change(models::StartKind::mean_shift, statistics, means, 1);
    EXPECT_EQ(change.shift, (std::vector<double>{3, 4}));
    EXPECT_EQ(change.log_ratio, (std::vector<double>{0, 0}));
    EXPECT_THROW(models::start_change(models::StartKind::moment_map, statistics, means, 1),
                 popflow::core::Error);
    EXPECT_TRUE(std::isnan(models::relative_distance(statistics, means)));
}

TEST(MomentChange, MovesAndScalesAroundTheMeans) {
    auto x = rows({{1, 10}, {3, 10}});
    const float means[] = {2, 10};
    models::apply_change({{1, -1}, {std::log(2.0), 0}}, means, x);
    EXPECT_NEAR(x(0, 0), 1, 1e-6);
    EXPECT_NEAR(x(1, 0), 5, 1e-6);
    EXPECT_EQ(x(0, 1), 9);
    EXPECT_THROW(models::apply_change({{1, INFINITY}, {0, 0}}, means, x), popflow::core::NumericalError);
}
