// SPDX-License-Identifier: MIT
#include "eval/set_comparison.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "support/random_matrix.hpp"
#include "support/ranks.hpp"

namespace {

using popflow::linalg::Matrix;
using popflow::support::communicator;
using popflow::support::random_matrix;
namespace eval = popflow::eval;

std::vector<Matrix<float>> random_populations(std::size_t count, std::uint64_t seed) {
    std::vector<Matrix<float>> populations;
    for (std::size_t k = 0; k < count; ++k) populations.push_back(random_matrix<float>(30, 2, seed + k));
    return populations;
}

// All ranks stop if one of them is asked to, after whatever number of distances.
TEST(CompareSets, StopsBetweenDistances) {
    const auto real = random_populations(6, 1);
    const auto generated = random_populations(5, 100);
    const eval::ComparedSets sets{real, generated, {}};
    eval::SetOptions options;
    options.permutations = 10;
    std::atomic<int> calls = 0;
    const auto all = eval::compare_sets(sets, options, 1, communicator(), [&] {
        ++calls;
        return false;
    });
    ASSERT_TRUE(all.has_value());
    ASSERT_EQ(all->size(), options.distances.size());
    const int needed = calls;
    ASSERT_GT(needed, 20);
    const int asked = communicator().size() - 1;  // rank that is asked to stop
    for (const int last : {0, 1, needed / 2, needed - 1}) {
        calls = 0;
        const auto stopped = eval::compare_sets(sets, options, 1, communicator(), [&] {
            const bool is_late = calls++ >= last;
            return is_late && communicator().rank() == asked;
        });
        EXPECT_FALSE(stopped.has_value()) << last;
    }
    const auto without = eval::compare_sets(sets, options, 1, communicator());
    EXPECT_EQ(without.value().front().scores.nna, all->front().scores.nna);
}

}  // namespace
