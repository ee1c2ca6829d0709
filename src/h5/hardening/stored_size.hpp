// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Whether the file that an object lies in is open for reading alone: another program wrote it.
bool opened_for_reading(std::int64_t id);

/// Bytes of the file that an object lies in; 0 if it cannot be told.
std::uint64_t file_bytes(std::int64_t id);

/// The product of sizes, or the largest std::size_t if it is larger than that.
std::size_t bounded_product(const std::vector<std::size_t>& sizes, std::size_t factor = 1);

/// Refuses a dataset of a file opened for reading that claims far more values than the file can hold.
///
/// Let s be the bytes that are stored for the dataset, at most those of the file. Its values, and one chunk
/// of them, may take up to 1 MB + s, or 1 MB + 1100 s if they pass through filters: deflate reaches 1032:1.
///
/// @param bytes  of one element
/// @throws core::DataError
void refuse_absurd_size(std::int64_t dataset, const std::string& file, const std::string& path,
                        const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunk,
                        std::size_t bytes);

}  // namespace popflow::h5
