// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace popflow::mpi {

/// Deals work into `lanes` lists of equal length (they differ by one at most) and nearly equal weight.
///
/// The largest items are dealt first, `lanes` at a time, each to the lane that has least so far: lanes of
/// pairs then hold about the same number of cells. A
/// pure function of the weights: it knows nothing of ranks, so a batch whose slot b draws from lane b is the
/// same on any number of them. Example: weights 9 8 7 6 5 into 2 lanes gives {0, 3, 4}, {1, 2}.
///
/// @return  items of each lane, ascending; some are empty if there are fewer items than lanes
std::vector<std::vector<std::size_t>> partition_by_weight(std::span<const std::size_t> weights,
                                                          std::size_t lanes);

/// The lanes of one rank: lane b belongs to rank b mod ranks. With fewer lanes than ranks the last ranks have
/// none.
std::vector<std::size_t> lanes_of_rank(std::size_t lanes, int rank, int ranks);

/// Bounds of the contiguous parts of `size` elements that the ranks have: rank r has [bounds[r], bounds[r +
/// 1]), whole blocks of `block` elements (the last may be shorter), as equal as these allow.
std::vector<std::size_t> part_bounds(std::size_t size, std::size_t block, int ranks);

/// Cuts `items` into portions to be handed out one by one: large ones first, single items at the end, so that
/// all ranks end at about the same time.
///
/// A portion is half of an equal share of what is left, at most `most` and at least 1.
///
/// @return  the length of each portion; their sum is `items`
std::vector<std::size_t> guided_chunks(std::size_t items, std::size_t ranks, std::size_t most);

}  // namespace popflow::mpi
