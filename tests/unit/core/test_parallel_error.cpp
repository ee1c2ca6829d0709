// SPDX-License-Identifier: MIT
#include "core/parallel_error.hpp"

#include <gtest/gtest.h>

#include <new>
#include <vector>

using popflow::core::ParallelError;

TEST(ParallelError, RethrowsTheExceptionAfterTheRegion) {
    ParallelError error;
#pragma omp parallel for num_threads(3) schedule(dynamic)
    for (int i = 0; i < 100; ++i) {
        error.run([&] {
            if (i >= 40) throw std::bad_alloc();
        });
    }
    EXPECT_THROW(error.rethrow(), std::bad_alloc);
}

TEST(ParallelError, DoesNotThrowIfAllTasksSucceed) {
    ParallelError error;
    std::vector<int> done(100);
#pragma omp parallel for num_threads(3) schedule(dynamic)
    for (int i = 0; i < 100; ++i) error.run([&] { done[static_cast<std::size_t>(i)] = 1; });
    error.rethrow();
    EXPECT_EQ(done, std::vector<int>(100, 1));
}
