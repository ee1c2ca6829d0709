// SPDX-License-Identifier: MIT
#include "mpi/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "mpi/partition.hpp"
#include "support/elements.hpp"
#include "support/ranks.hpp"

using popflow::mpi::Communicator;
using popflow::mpi::ExactSum;
using popflow::mpi::part_bounds;
using popflow::support::communicator;
using popflow::support::elements_equal;

namespace {

constexpr std::size_t slots = 6;
constexpr std::size_t block = 16;
constexpr double scale = 0.2;
constexpr float weight = 0.75F;

// Returns the gradient of a slot: normal numbers whose magnitude differs between the slots.
std::vector<float> gradient(std::size_t slot, std::size_t size) {
    std::vector<float> values(size);
    popflow::core::Stream(slot, popflow::core::Purpose::test).fill_normal(values);
    const float magnitude = std::pow(10.0F, static_cast<float>(slot) - 4.0F);
    for (float& value : values) value *= magnitude;
    return values;
}

// Returns what every rank has to compute for an array of `size` elements: each summand is rounded to a
// multiple of 2^-36, and the sum of these integers to a float.
std::vector<float> expected_sum(std::size_t size) {
    std::vector<double> total(size, 0.0);  // integers below 2^53
    for (std::size_t slot = 0; slot < slots; ++slot) {
        const std::vector<float> values = gradient(slot, size);
        for (std::size_t i = 0; i < size; ++i)
            total[i] += std::nearbyint(static_cast<double>(values[i] * weight) * 0x1p36);
    }
    std::vector<float> sum;
    for (const double t : total) sum.push_back(static_cast<float>(t * (scale * 0x1p-36)));
    return sum;
}

// Reduces a sum and collects the parts. Returns the whole array on every rank. Collective.
std::vector<float> reduce_and_gather(ExactSum& sum, const std::vector<std::size_t>& bounds) {
    const auto rank = static_cast<std::size_t>(communicator().rank());
    std::vector<float> all(bounds.back(), -1.0F);
    sum.reduce(communicator(), bounds, scale,
               std::span<float>(all).subspan(bounds[rank], bounds[rank + 1] - bounds[rank]));
    communicator().all_gather(all, bounds);
    return all;
}

// Adds each slot on the rank `owner(slot)`, in descending order of slots if `backwards`. Expects the result
// of a single rank. Collective.
void expect_sum_of_slots(const std::function<int(std::size_t)>& owner, std::size_t size,
                         bool backwards = false) {
    const std::vector<std::size_t> bounds = part_bounds(size, block, communicator().size());
    ExactSum sum(size);
    sum.clear();
    for (std::size_t k = 0; k < slots; ++k) {
        const std::size_t slot = backwards ? slots - 1 - k : k;
        if (owner(slot) != communicator().rank()) continue;
        EXPECT_TRUE(sum.add(gradient(slot, size), weight));
    }
    const std::vector<float> found = reduce_and_gather(sum, bounds);
    EXPECT_PRED_FORMAT2(elements_equal, found, expected_sum(size));
}

int round_robin(std::size_t slot) {
    return static_cast<int>(slot) % communicator().size();
}

}  // namespace

TEST(ExactSum, IsBitwiseEqualOnAnyNumberOfRanks) {
    for (const std::size_t size : {1UL, 15UL, 16UL, 1000UL, 40000UL}) {
        SCOPED_TRACE(std::to_string(size) + " elements");
        expect_sum_of_slots(round_robin, size);
    }
}

TEST(ExactSum, DoesNotDependOnTheOrderOfSlots) {
    expect_sum_of_slots(round_robin, 1000, true);
}

TEST(ExactSum, AcceptsRanksWithoutSlots) {
    for (int busy = 0; busy < communicator().size(); ++busy) {
        SCOPED_TRACE("only rank " + std::to_string(busy) + " has slots");
        expect_sum_of_slots([busy](std::size_t) { return busy; }, 1000);
    }
}

TEST(ExactSum, WithoutAnySlotIsZeroOnAllRanks) {
    const std::vector<std::size_t> bounds = part_bounds(100, block, communicator().size());
    ExactSum sum(100);
    EXPECT_TRUE(sum.add(std::vector<float>(100, 3.0F)));  // clear() forgets it
    sum.clear();
    const std::vector<float> found = reduce_and_gather(sum, bounds);
    EXPECT_PRED_FORMAT2(elements_equal, found, std::vector<float>(100, 0.0F));
}

TEST(ExactSum, IsTheSameIfTheReductionStartsBeforeTheLastGradient) {
    constexpr std::size_t size = 1000;
    const Communicator& comm = communicator();
    const std::vector<std::size_t> bounds = part_bounds(size, block, comm.size());
    // Before the last slot, ranks of odd number start the reduction, all ranks, or no rank.
    for (const int period : {2, 1, 0}) {
        SCOPED_TRACE("case " + std::to_string(period));
        const bool starts_early = period == 1 || (period == 2 && comm.rank() % 2 == 1);
        std::vector<std::size_t> own;
        for (std::size_t slot = 0; slot < slots; ++slot) {
            if (round_robin(slot) == comm.rank()) own.push_back(slot);
        }
        ExactSum sum(size);
        sum.clear();
        for (const std::size_t slot : own) {
            const std::vector<float> values = gradient(slot, size);
            if (slot != own.back() || !starts_early) {
                EXPECT_TRUE(sum.add(values, weight));
                continue;
            }
            sum.start_reduce(comm, bounds);
            for (const std::size_t first : {900UL, 900UL, 333UL, 1UL, 0UL})
                EXPECT_TRUE(sum.add_final_range(values, first, weight));
        }
        const std::vector<float> found = reduce_and_gather(sum, bounds);
        EXPECT_PRED_FORMAT2(elements_equal, found, expected_sum(size));
    }
}

TEST(ExactSum, CanBeUsedAgainWithFewerElements) {
    ExactSum sum(1000);
    for (const std::size_t size : {1000UL, 7UL, 500UL}) {
        SCOPED_TRACE(std::to_string(size) + " elements");
        const std::vector<std::size_t> bounds = part_bounds(size, block, communicator().size());
        sum.clear(size);
        for (std::size_t slot = 0; slot < slots; ++slot) {
            if (round_robin(slot) != communicator().rank()) continue;
            EXPECT_TRUE(sum.add(gradient(slot, size), weight));
        }
        const std::vector<float> found = reduce_and_gather(sum, bounds);
        EXPECT_PRED_FORMAT2(elements_equal, found, expected_sum(size));
    }
}
