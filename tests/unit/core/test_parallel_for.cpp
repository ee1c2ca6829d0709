// SPDX-License-Identifier: MIT
#include "core/parallel_for.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace {

using popflow::core::parallel_for;

// Returns the level of nested parallel regions that the items see.
std::vector<int> levels(std::size_t count, bool in_parallel) {
    std::vector<int> found(count, -1);
    parallel_for(
        count, [&](std::size_t i) { found[i] = omp_get_level(); }, in_parallel);
    return found;
}

TEST(ParallelFor, RunsEachItemOnce) {
    std::vector<int> calls(1000, 0);
    parallel_for(calls.size(), [&](std::size_t i) { ++calls[i]; });
    EXPECT_EQ(calls, std::vector<int>(1000, 1));
    parallel_for(0, [&](std::size_t) { FAIL(); });
}

TEST(ParallelFor, LeavesTheThreadsToASingleItem) {
    EXPECT_EQ(levels(1, true), std::vector<int>{0});
    EXPECT_EQ(levels(3, true), std::vector<int>(3, 1));
    EXPECT_EQ(levels(3, false), std::vector<int>(3, 0));
}

TEST(ParallelFor, ThrowsTheErrorOfAnItem) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{50}}) {
        std::atomic<int> done = 0;
        EXPECT_THROW(parallel_for(count,
                                  [&](std::size_t i) {
                                      if (i == 0) throw std::invalid_argument("item");
                                      ++done;
                                  }),
                     std::invalid_argument);
        EXPECT_LT(done, 50);
    }
}

}  // namespace
