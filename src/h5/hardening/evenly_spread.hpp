// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace popflow::h5 {

/// All of 0 to count - 1, or `most` of them (at least 2) from the first to the last.
inline std::vector<std::size_t> evenly_spread(std::size_t count, std::size_t most) {
    std::vector<std::size_t> taken(std::min(count, most));
    for (std::size_t i = 1; i < taken.size(); ++i) taken[i] = i * (count - 1) / (taken.size() - 1);
    return taken;
}

}  // namespace popflow::h5
