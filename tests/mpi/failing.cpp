// SPDX-License-Identifier: MIT
// Tests that fail on purpose, see failing.sh. They show what the other programs of this folder print.
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "support/elements.hpp"
#include "support/ranks.hpp"

using popflow::support::communicator;
using popflow::support::elements_equal;

namespace {

bool is_last_rank() {
    return communicator().rank() == communicator().size() - 1;
}

}  // namespace

TEST(Passes, OnAllRanks) {
    communicator().barrier();
}

TEST(Fails, OnTheLastRank) {
    const std::vector<std::int64_t> found{10, 11, is_last_rank() ? 7 : 12};
    EXPECT_PRED_FORMAT2(elements_equal, found, (std::vector<std::int64_t>{10, 11, 12}));
    communicator().barrier();
}

TEST(Throws, OnTheLastRankWhileTheOthersWait) {
    if (is_last_rank()) throw std::runtime_error("no value");
    communicator().barrier();
}

TEST(Asserts, OnTheLastRankWhileTheOthersWait) {
    ASSERT_FALSE(is_last_rank());
    communicator().barrier();
}

TEST(Asserts, OnAllRanks) {
    ASSERT_EQ(communicator().size(), -1);
}
