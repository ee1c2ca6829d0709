// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "h5/handle.hpp"

namespace popflow::h5 {

/// Text that a read of strings may give beyond the bytes of its file.
constexpr std::size_t most_shared_text = std::size_t{1} << 20;

/// Bounds the text of variable length that one read may bring into memory; past it the read fails.
class StringMemory {
  public:
    explicit StringMemory(std::size_t most_bytes);
    StringMemory(const StringMemory&) = delete;
    StringMemory& operator=(const StringMemory&) = delete;
    /// Properties for H5Dread; the memory is freed as usual.
    const Handle& transfer() const { return transfer_; }

  private:
    std::size_t left_;
    Handle transfer_;
};

/// Reads `count` strings of a stored type, of fixed or variable length, through `read(memory_type, buffer)`.
///
/// Padding of fixed-length strings is taken off; bytes are kept as they are, whatever the character set.
/// `member` wraps the memory type into a compound with this one member; empty for none.
std::vector<std::string> read_string_elements(std::int64_t stored_type, std::size_t count,
                                              const std::string& member,
                                              const std::function<void(std::int64_t, void*)>& read);

}  // namespace popflow::h5
