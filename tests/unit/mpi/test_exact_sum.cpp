// SPDX-License-Identifier: MIT
#include "mpi/exact_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/mpi_session.hpp"
#include "support/random_matrix.hpp"

using popflow::mpi::Communicator;
using popflow::mpi::ExactSum;

namespace {

class ExactSumOnOneRank : public popflow::support::WithMpi {};

/// Returns scale times the sum of this single rank. `sum` must be cleared before it is used again.
std::vector<float> reduced(ExactSum& sum, std::size_t size, double scale) {
    std::vector<float> out(size);
    sum.reduce(Communicator::world(), std::vector<std::size_t>{0, size}, scale, out);
    return out;
}

}  // namespace

TEST_F(ExactSumOnOneRank, DoesNotDependOnTheOrderOfSummands) {
    std::vector<popflow::linalg::Matrix<float>> slots;
    for (std::uint64_t s = 0; s < 5; ++s) {
        slots.push_back(
            popflow::support::random_matrix<float>(1, 40000, s, std::pow(10.0, static_cast<double>(s) - 4)));
    }
    ExactSum forwards(40000);
    ExactSum backwards(40000);

    for (std::size_t s = 0; s < 5; ++s) {
        EXPECT_TRUE(forwards.add(slots[s].values()));
        EXPECT_TRUE(backwards.add(slots[4 - s].values()));
    }
    const std::vector<float> a = reduced(forwards, 40000, 0.2);
    const std::vector<float> b = reduced(backwards, 40000, 0.2);

    EXPECT_EQ(a, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
        double sum = 0;
        for (const auto& slot : slots) sum += double{slot.values()[i]};
        ASSERT_NEAR(a[i], 0.2 * sum, 0.2 * 5 * 0x1p-37 + std::abs(0.2 * sum) * 6e-8);
    }
}

TEST_F(ExactSumOnOneRank, MultipliesASummandByItsWeight) {
    ExactSum sum(3);
    EXPECT_TRUE(sum.add(std::vector<float>{1, -2, 3}, 0.75F));
    EXPECT_TRUE(sum.add(std::vector<float>{4, 8, 16}, 1.25F));
    EXPECT_EQ(reduced(sum, 3, 0.5), (std::vector<float>{2.875, 4.25, 11.125}));
}

TEST_F(ExactSumOnOneRank, CanSumFewerElementsThanItsCapacity) {
    ExactSum sum(3);
    EXPECT_TRUE(sum.add(std::vector<float>{1, 2, 3}));

    sum.clear(2);
    EXPECT_TRUE(sum.add(std::vector<float>{0.5F, -4}));

    EXPECT_EQ(reduced(sum, 2, 2), (std::vector<float>{1, -8}));
}

TEST_F(ExactSumOnOneRank, ALargerUnitAllowsLargerElements) {
    ExactSum sum(2, 1024);
    const std::vector<float> gradient{1e6F, -0.5F};

    EXPECT_FALSE(sum.add(std::vector<float>{2e7F, 0}));
    sum.clear();
    EXPECT_TRUE(sum.add(gradient));

    EXPECT_EQ(reduced(sum, 2, 1), gradient);
}

TEST_F(ExactSumOnOneRank, RefusesElementsOutsideItsRange) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -20000.0F}) {
        ExactSum sum(3);
        const std::vector<float> gradient{1.0F, bad, 2.0F};
        EXPECT_FALSE(sum.add(gradient)) << bad;
    }
}
