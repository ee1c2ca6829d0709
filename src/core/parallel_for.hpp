// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>

#include "core/parallel_error.hpp"

namespace popflow::core {

/// Calls work(i) for each i below `count`. The threads of OpenMP take the items in turn.
///
/// A single item runs outside of a parallel region, so that parallel regions inside it use all threads. A
/// region with `if (false)` would not do: inside it, OpenMP of GCC starts new threads for each region.
/// @param in_parallel  false to run all items one after another, each with all threads
/// @throws the first exception of an item. The remaining items are then skipped.
template <class Work>
void parallel_for(std::size_t count, Work&& work, bool in_parallel = true) {
    if (count < 2 || !in_parallel) {
        for (std::size_t i = 0; i < count; ++i) work(i);
        return;
    }
    ParallelError error;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < count; ++i) error.run([&] { work(i); });
    error.rethrow();
}

}  // namespace popflow::core
