// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace popflow::mpi {

/// Partitions items into `lanes` lists of nearly equal weight. Their lengths differ by at most one.
///
/// Assigns the heaviest items first, in rounds of `lanes` items: each lane gets one item per round, the
/// lightest lane the heaviest item. Lanes of pairs then hold about the same number of cells.
///
/// The result depends on the weights alone, not on the number of ranks. A batch whose slot b draws from lane
/// b is therefore the same on any number of ranks.
///
/// Example: weights 9 8 7 6 5 in 2 lanes give {0, 3, 4} and {1, 2}.
///
/// @return items of each lane, ascending. With fewer items than lanes some lanes are empty
std::vector<std::vector<std::size_t>> partition_by_weight(std::span<const std::size_t> weights,
                                                          std::size_t lanes);

/// Returns the lanes of one rank, round-robin: lane b belongs to rank b mod ranks. With fewer lanes than
/// ranks the last ranks have no lane.
std::vector<std::size_t> lanes_of_rank(std::size_t lanes, int rank, int ranks);

/// Splits `size` elements into one contiguous part per rank. Rank r owns elements [bounds[r], bounds[r + 1]).
///
/// Parts consist of whole blocks of `block` elements (the last block may be shorter). Their numbers of blocks
/// differ by at most one.
///
/// @return ranks + 1 offsets, from 0 to `size`
std::vector<std::size_t> part_bounds(std::size_t size, std::size_t block, int ranks);

/// Guided self-scheduling: splits `items` into chunks that a work queue hands out in order. The first chunks
/// are large and the last ones single items, so that all ranks finish at about the same time.
///
/// length = clamp(ceil(remaining / (2 * ranks)), 1, max_length)
///
/// @return length of each chunk. Their sum is `items`
std::vector<std::size_t> guided_chunks(std::size_t items, std::size_t ranks, std::size_t max_length);

}  // namespace popflow::mpi
