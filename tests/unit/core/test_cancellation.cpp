// SPDX-License-Identifier: MIT
#include "core/cancellation.hpp"

#include <gtest/gtest.h>

#include <thread>

using popflow::core::CancellationScope;
using popflow::core::Cancelled;
using popflow::core::check_cancelled;

TEST(Cancellation, NeedsAScope) {
    EXPECT_NO_THROW(check_cancelled());
}

TEST(Cancellation, FollowsTheFlagOfTheInnermostScope) {
    std::atomic<bool> outer = false;
    std::atomic<bool> inner = false;
    const CancellationScope outer_scope(&outer);
    {
        const CancellationScope inner_scope(&inner);
        outer = true;
        EXPECT_NO_THROW(check_cancelled());
        inner = true;
        EXPECT_THROW(check_cancelled(), Cancelled);
    }
    EXPECT_THROW(check_cancelled(), Cancelled);
    outer = false;
    EXPECT_NO_THROW(check_cancelled());
}

TEST(Cancellation, ConcernsOneThread) {
    std::atomic<bool> flag = true;
    const CancellationScope scope(&flag);
    bool was_cancelled = true;
    std::thread([&] {
        try {
            check_cancelled();
            was_cancelled = false;
        } catch (const Cancelled&) {
        }
    }).join();
    EXPECT_FALSE(was_cancelled);
}
