// SPDX-License-Identifier: MIT
#include "mpi/partition.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace popflow::mpi {

std::vector<std::vector<std::size_t>> partition_by_weight(std::span<const std::size_t> weights,
                                                          std::size_t lanes) {
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
    std::vector<std::vector<std::size_t>> assigned(lanes);
    std::vector<std::size_t> load(lanes, 0);
    std::vector<std::size_t> lightest(lanes);
    for (std::size_t first = 0; first < order.size(); first += lanes) {
        std::iota(lightest.begin(), lightest.end(), std::size_t{0});
        std::stable_sort(lightest.begin(), lightest.end(),
                         [&](std::size_t a, std::size_t b) { return load[a] < load[b]; });
        for (std::size_t i = first; i < std::min(first + lanes, order.size()); ++i) {
            const std::size_t lane = lightest[i - first];
            assigned[lane].push_back(order[i]);
            load[lane] += weights[order[i]];
        }
    }
    for (auto& lane : assigned) std::sort(lane.begin(), lane.end());
    return assigned;
}

std::vector<std::size_t> lanes_of_rank(std::size_t lanes, int rank, int ranks) {
    std::vector<std::size_t> mine;
    for (auto b = static_cast<std::size_t>(rank); b < lanes; b += static_cast<std::size_t>(ranks))
        mine.push_back(b);
    return mine;
}

std::vector<std::size_t> part_bounds(std::size_t size, std::size_t block, int ranks) {
    const std::size_t blocks = (size + block - 1) / block;
    const auto parts = static_cast<std::size_t>(ranks);
    std::vector<std::size_t> bounds(parts + 1);
    for (std::size_t r = 0; r <= parts; ++r) bounds[r] = std::min(size, blocks * r / parts * block);
    return bounds;
}

std::vector<std::size_t> guided_chunks(std::size_t items, std::size_t ranks, std::size_t max_length) {
    std::vector<std::size_t> lengths;
    while (items > 0) {
        const std::size_t share = (items + 2 * ranks - 1) / (2 * ranks);
        lengths.push_back(std::clamp(share, std::size_t{1}, std::max(max_length, std::size_t{1})));
        items -= lengths.back();
    }
    return lengths;
}

}  // namespace popflow::mpi
