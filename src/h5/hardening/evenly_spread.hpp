// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace popflow::h5 {

/// Returns at most max_indices evenly spaced indices of [0, count), including 0 and count - 1. Returns all
/// indices if count <= max_indices.
/// @param max_indices  at least 2
inline std::vector<std::size_t> evenly_spread(std::size_t count, std::size_t max_indices) {
    std::vector<std::size_t> indices(std::min(count, max_indices));
    for (std::size_t i = 1; i < indices.size(); ++i) indices[i] = i * (count - 1) / (indices.size() - 1);
    return indices;
}

}  // namespace popflow::h5
