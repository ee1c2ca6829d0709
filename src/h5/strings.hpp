// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Type and location of stored strings, of fixed or variable length.
struct StringSource {
    std::int64_t object = -1;  ///< identifier of any object of the file
    const std::string& file;   ///< name of the file in errors
    const std::string& path;   ///< name of the dataset or object in errors
    std::int64_t stored_type = -1;
    std::string member{};  ///< member of a compound type, empty for whole elements
};

/// Reads `count` strings by calling `read(memory_type, buffer)`, e.g. H5Dread or H5Aread.
///
/// Removes the padding of fixed-length strings. Returns the bytes unchanged, whatever their character set.
/// @throws core::DataError as TextHeap
std::vector<std::string> read_string_elements(const StringSource& source, std::size_t count,
                                              const std::function<void(std::int64_t, void*)>& read);

}  // namespace popflow::h5
