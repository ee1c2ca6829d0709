// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>

namespace popflow::linalg {

/// Number of rows that one thread computes at a time. It is small enough that a training slot of 1024 cells
/// occupies eight threads, and that a block of a hidden layer stays in the cache of a core. It is large
/// enough for the full speed of the kernels.
inline constexpr std::size_t block_rows = 128;

inline std::size_t count_row_blocks(std::size_t rows) {
    return (rows + block_rows - 1) / block_rows;
}

/// Runs task(i) for i = 0, ..., count - 1 on all threads. Inside a parallel region they run sequentially.
///
/// During the tasks, OpenMP reports one thread to oneDNN, so that its order of summation does not depend on
/// the number of threads. After all tasks, rethrows an exception of a task, if there was one.
template <class Task>
void parallel_for_tasks(std::size_t count, const Task& task) {
    std::exception_ptr failure;
#pragma omp parallel if (count > 1)
    {
        omp_set_num_threads(1);  // sets this thread's own copy of the setting
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

/// Runs task(block, first row, number of rows) for blocks of block_rows rows, as parallel_for_tasks() does.
template <class Task>
void parallel_for_row_blocks(std::size_t rows, const Task& task) {
    parallel_for_tasks(count_row_blocks(rows), [&](std::size_t block) {
        const std::size_t first = block * block_rows;
        task(block, first, std::min(block_rows, rows - first));
    });
}

}  // namespace popflow::linalg
