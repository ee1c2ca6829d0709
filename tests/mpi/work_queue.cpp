// SPDX-License-Identifier: MIT
#include "mpi/work_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "support/elements.hpp"
#include "support/ranks.hpp"

using popflow::mpi::Communicator;
using popflow::mpi::WorkQueue;
using popflow::support::communicator;
using popflow::support::elements_equal;

namespace {

void sleep_briefly() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Waits on rank 0 until the queue has ended, so that finished() is final.
void wait_for_end(WorkQueue& queue) {
    while (communicator().is_root() && !queue.has_ended()) sleep_briefly();
}

// Takes all items of a queue. Returns those of this rank, in the order in which they arrived. Collective.
std::vector<std::size_t> take_all(std::size_t items) {
    std::vector<std::size_t> own;
    WorkQueue queue(items, communicator());
    while (const auto item = queue.next()) own.push_back(*item);
    return own;
}

// Expects that each item was assigned once. `own` are the items of this rank. Collective.
void expect_each_item_once(const std::vector<std::size_t>& own, std::size_t items) {
    // The last element counts items that do not exist.
    std::vector<std::int64_t> times_assigned(items + 1, 0);
    for (const std::size_t item : own) ++times_assigned[std::min(item, items)];
    communicator().sum(times_assigned);
    std::vector<std::int64_t> once(items + 1, 1);
    once.back() = 0;
    EXPECT_PRED_FORMAT2(elements_equal, times_assigned, once);
}

// Takes items until the closing rank closes the queue at its third item. Without that the ranks would take a
// billion items. Collective.
void expect_end_after_close(int closing_rank) {
    constexpr std::size_t items = 1000000000;
    const bool closes = communicator().rank() == closing_rank;
    std::size_t own = 0;
    std::size_t after_close = 0;
    bool is_closed = false;
    {
        WorkQueue queue(items, communicator());
        while (queue.next()) {
            ++own;
            after_close += is_closed ? 1 : 0;
            if (own == 3 && closes) {
                queue.close();
                is_closed = true;
            }
            sleep_briefly();
        }
    }
    EXPECT_EQ(after_close, 0U) << "items after close()";
    if (closes) {
        EXPECT_EQ(own, 3U) << "items of the rank that closed the queue";
    }
}

}  // namespace

TEST(WorkQueue, AssignsEachItemToOneRank) {
    constexpr std::size_t items = 200;
    expect_each_item_once(take_all(items), items);
}

TEST(WorkQueue, HandsOutItemsInAscendingOrder) {
    const std::vector<std::size_t> own = take_all(200);
    std::vector<std::size_t> sorted = own;
    std::ranges::sort(sorted);
    EXPECT_PRED_FORMAT2(elements_equal, own, sorted);
}

TEST(WorkQueue, ServesOtherRanksWhileRankZeroWorks) {
    constexpr std::size_t items = 200;
    const Communicator& comm = communicator();
    std::vector<std::size_t> own;
    {
        WorkQueue queue(items, comm);
        while (const auto item = queue.next()) {
            own.push_back(*item);
            // Rank 0 works on its first item until the other ranks have finished all other items.
            while (comm.is_root() && comm.size() > 1 && queue.finished() + 1 < items) sleep_briefly();
            queue.add_finished(1);
        }
    }
    expect_each_item_once(own, items);
    if (comm.is_root() && comm.size() > 1) {
        EXPECT_EQ(own.size(), 1U) << "items of rank 0";
    }
}

TEST(WorkQueue, CountsTheFinishedWorkOfAllRanks) {
    constexpr std::size_t items = 100;
    const Communicator& comm = communicator();
    std::vector<std::int64_t> expected{0};
    std::size_t finished = 0;
    {
        WorkQueue queue(items, comm);
        while (const auto item = queue.next()) {
            queue.add_finished(*item + 1);
            expected[0] += static_cast<std::int64_t>(*item + 1);
        }
        wait_for_end(queue);
        if (comm.is_root()) finished = queue.finished();
    }
    comm.sum(expected);
    EXPECT_EQ(expected[0], 5050) << "amounts that the ranks reported";
    EXPECT_EQ(finished, comm.is_root() ? 5050U : 0U);
}

TEST(WorkQueue, WithoutItemsEndsOnAllRanks) {
    EXPECT_TRUE(take_all(0).empty());
}

TEST(WorkQueue, WithOneItemEndsOnAllRanks) {
    expect_each_item_once(take_all(1), 1);
}

TEST(WorkQueue, CanFollowAnotherQueueImmediately) {
    constexpr std::size_t queues = 20;
    std::vector<std::vector<std::size_t>> own;
    for (std::size_t items = 0; items < queues; ++items) own.push_back(take_all(items));
    for (std::size_t items = 0; items < queues; ++items) {
        SCOPED_TRACE("queue of " + std::to_string(items) + " items");
        expect_each_item_once(own[items], items);
    }
}

TEST(WorkQueue, EndsAfterTheLastRankHasClosedIt) {
    expect_end_after_close(communicator().size() - 1);
}

TEST(WorkQueue, EndsAfterRankZeroHasClosedIt) {
    expect_end_after_close(0);
}

TEST(WorkQueue, EndsAfterAllRanksHaveClosedIt) {
    std::size_t own = 0;
    WorkQueue queue(1000000000, communicator());
    while (queue.next()) {
        ++own;
        queue.close();
    }
    EXPECT_LE(own, 1U) << "items of this rank, which closes the queue at its first";
}
