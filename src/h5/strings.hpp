// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Strings of a stored type, of fixed or variable length, and where they are.
struct StringSource {
    std::int64_t object = -1;  ///< any of the file
    const std::string& file;
    const std::string& path;
    std::int64_t stored_type = -1;
    std::string member{};  ///< of a compound type; empty for none
};

/// Reads `count` strings through `read(memory_type, buffer)`.
///
/// Padding of fixed-length strings is taken off; bytes are kept as they are, whatever the character set.
/// @throws core::DataError as TextHeap
std::vector<std::string> read_string_elements(const StringSource& source, std::size_t count,
                                              const std::function<void(std::int64_t, void*)>& read);

}  // namespace popflow::h5
