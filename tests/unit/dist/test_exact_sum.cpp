// SPDX-License-Identifier: MIT
#include "dist/exact_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/random_matrix.hpp"

using popflow::dist::ExactSum;

TEST(ExactSum, DoesNotDependOnTheOrder) {
    std::vector<popflow::linalg::Matrix<float>> slots;
    for (std::uint64_t s = 0; s < 5; ++s) {
        slots.push_back(
            popflow::support::random_matrix<float>(1, 40000, s, std::pow(10.0, static_cast<double>(s) - 4)));
    }
    ExactSum forwards(40000);
    ExactSum backwards(40000);
    std::vector<float> a(40000);
    std::vector<float> b(40000);

    for (std::size_t s = 0; s < 5; ++s) {
        EXPECT_TRUE(forwards.add(slots[s].values()));
        EXPECT_TRUE(backwards.add(slots[4 - s].values()));
    }
    forwards.read(0.2, 0, a);
    backwards.read(0.2, 0, b);

    EXPECT_EQ(a, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
        double sum = 0;
        for (const auto& slot : slots) sum += double{slot.values()[i]};
        ASSERT_NEAR(a[i], 0.2 * sum, 0.2 * 5 * 0x1p-37 + std::abs(0.2 * sum) * 6e-8);
    }
}

TEST(ExactSum, WeighsASummand) {
    ExactSum sum(3);
    std::vector<float> out(3);
    EXPECT_TRUE(sum.add(std::vector<float>{1, -2, 3}, 0.75F));
    EXPECT_TRUE(sum.add(std::vector<float>{4, 8, 16}, 1.25F));
    sum.read(0.5, 0, out);
    EXPECT_EQ(out, (std::vector<float>{2.875, 4.25, 11.125}));
}

TEST(ExactSum, SumsFewerElementsThanItHolds) {
    ExactSum sum(3);
    std::vector<float> out(2);
    EXPECT_TRUE(sum.add(std::vector<float>{1, 2, 3}));

    sum.clear(2);
    EXPECT_TRUE(sum.add(std::vector<float>{0.5F, -4}));
    sum.read(2, 0, out);

    EXPECT_EQ(out, (std::vector<float>{1, -8}));
}

TEST(ExactSum, IsReadInParts) {
    ExactSum sum(3);
    std::vector<float> out(2);
    EXPECT_TRUE(sum.add(std::vector<float>{1, 2, 3}));

    sum.read(2, 1, out);

    EXPECT_EQ(out, (std::vector<float>{4, 6}));
}

TEST(ExactSum, ALargerUnitHoldsLargerElements) {
    ExactSum sum(2, 1024);
    std::vector<float> out(2);
    const std::vector<float> gradient{1e6F, -0.5F};

    EXPECT_TRUE(sum.add(gradient));
    sum.read(1, 0, out);

    EXPECT_EQ(out, gradient);
    EXPECT_FALSE(sum.add(std::vector<float>{2e7F, 0}));
}

TEST(ExactSum, RefusesWhatItCannotHold) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -20000.0F}) {
        ExactSum sum(3);
        const std::vector<float> gradient{1.0F, bad, 2.0F};
        EXPECT_FALSE(sum.add(gradient)) << bad;
    }
}
