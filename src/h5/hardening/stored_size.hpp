// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Whether the file of an object is open read-only. Such a file may come from another program.
bool is_open_read_only(std::int64_t id);

/// Returns the size in bytes of the file of an object, 0 if it is unknown.
std::uint64_t file_bytes(std::int64_t id);

/// Returns factor times the product of the sizes. Saturates at the maximum of std::size_t.
std::size_t bounded_product(const std::vector<std::size_t>& sizes, std::size_t factor = 1);

/// Checks that a dataset of a file opened read-only does not claim far more values than the file can hold.
///
/// Let s be the number of bytes that are stored for the dataset, at most the size of the file. The limit for
/// its values, and for one chunk, is 1 MB + s. With filters it is 1 MB + 1100 s, because deflate compresses
/// up to 1032:1. A dataset whose values are in its header (compact layout) must have all of them.
///
/// @param bytes  size of an element
/// @throws core::DataError if the values or a chunk exceed the limit
void check_claimed_size(std::int64_t dataset, const std::string& file, const std::string& path,
                        const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunk,
                        std::size_t bytes);

}  // namespace popflow::h5
