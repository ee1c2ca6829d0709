// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Reads `count` strings of a stored type, of fixed or variable length, through `read(memory_type, buffer)`.
///
/// Padding of fixed-length strings is taken off; bytes are kept as they are, whatever the character set.
/// `member` wraps the memory type into a compound with this one member; empty for none.
std::vector<std::string> read_string_elements(std::int64_t stored_type, std::size_t count,
                                              const std::string& member,
                                              const std::function<void(std::int64_t, void*)>& read);

}  // namespace popflow::h5
