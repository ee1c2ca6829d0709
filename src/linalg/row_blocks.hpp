// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>

namespace popflow::linalg {

/// Rows that one thread computes at a time: few enough that a training slot of 1024 cells feeds eight threads
/// and that a block of a hidden layer stays in the cache of a core, many enough for the kernels' full speed.
inline constexpr std::size_t block_rows = 128;

inline std::size_t count_row_blocks(std::size_t rows) {
    return (rows + block_rows - 1) / block_rows;
}

/// task(i) for i = 0 ... count - 1, spread over the threads; inside a parallel region one after the other.
///
/// Meanwhile the kernel library, which asks OpenMP how many threads it may use, finds one, so that what it
/// sums does not depend on their number. An exception of a task, of any if several throw, comes out.
template <class Task>
void for_tasks(std::size_t count, const Task& task) {
    std::exception_ptr failure;
#pragma omp parallel if (count > 1)
    {
        omp_set_num_threads(1);  // this thread's own copy of the setting
#pragma omp for schedule(dynamic, 1)
        for (std::size_t i = 0; i < count; ++i) {
            try {
                task(i);
            } catch (...) {
#pragma omp critical(popflow_task_failure)
                failure = std::current_exception();
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
}

/// task(block, first row, rows) for blocks of block_rows rows, spread over the threads.
template <class Task>
void for_row_blocks(std::size_t rows, const Task& task) {
    for_tasks(count_row_blocks(rows), [&](std::size_t block) {
        const std::size_t first = block * block_rows;
        task(block, first, std::min(block_rows, rows - first));
    });
}

}  // namespace popflow::linalg
