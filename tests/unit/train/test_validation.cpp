// SPDX-License-Identifier: MIT
#include "train/validation.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace train = popflow::train;
using Steps = std::vector<std::uint64_t>;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

Steps check_steps(std::uint64_t total) {
    Steps steps;
    for (std::uint64_t step = 0; step <= total + 5; ++step) {
        if (train::is_check_step(step, total)) steps.push_back(step);
    }
    return steps;
}

std::vector<train::ValidationRow> rows_with_energies(const std::vector<double>& energies) {
    std::vector<train::ValidationRow> rows;
    for (const double energy : energies) rows.push_back({.energy = energy, .evaluations = 10});
    return rows;
}

}  // namespace

TEST(Validation, ChecksAreEvenlySpreadAndEndWithTheLastStep) {
    EXPECT_EQ(check_steps(1000), (Steps{100, 200, 300, 400, 500, 600, 700, 800, 900, 1000}));
    EXPECT_EQ(check_steps(24), (Steps{3, 5, 8, 10, 12, 15, 17, 20, 22, 24}));
    EXPECT_EQ(check_steps(11), (Steps{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(check_steps(10).size(), 10U);
    EXPECT_EQ(check_steps(3), (Steps{1, 2, 3}));
    EXPECT_EQ(check_steps(1), (Steps{1}));
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    EXPECT_TRUE(train::is_check_step(most, most));
    EXPECT_FALSE(train::is_check_step(most - 1, most));
}

TEST(Validation, TheBudgetIsATenthOfTheVelocityEvaluations) {
    EXPECT_EQ(train::validation_budget(1000, 4 * 100), 120000U);
    EXPECT_TRUE(train::fits_budget({}, 0)) << "the first check is always done";
    const auto rows = rows_with_energies({1, 1, 1});  // 30 so far, 10 for this check, 10 for the last one
    EXPECT_TRUE(train::fits_budget(rows, 50));
    EXPECT_FALSE(train::fits_budget(rows, 49));
}

TEST(Validation, TheBestCheckIsTheFirstWithTheLowestEnergy) {
    EXPECT_EQ(train::best_row(rows_with_energies({3, 1, 2, 1})), 1U);
    EXPECT_EQ(train::best_row(rows_with_energies({none, 2, none})), 1U);
    EXPECT_FALSE(train::best_row(rows_with_energies({none, none})));
    EXPECT_FALSE(train::best_row({}));
}

TEST(Validation, CountsTheChecksWithoutImprovement) {
    EXPECT_EQ(train::checks_without_improvement(rows_with_energies({3})), 0U);
    EXPECT_EQ(train::checks_without_improvement(rows_with_energies({3, 1, 1, 2})), 2U);
    EXPECT_EQ(train::checks_without_improvement(rows_with_energies({none, none})), 2U);
    EXPECT_EQ(train::checks_without_improvement(rows_with_energies({1, none})), 1U);
}
