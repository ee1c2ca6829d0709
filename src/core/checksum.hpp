// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/hashed_items.hpp"

namespace popflow::core {

/// 64-bit checksum (XXH3) of a sequence of texts, numbers and arrays. It detects damage and is not
/// cryptographic. The length of each item is part of the checksum.
class Checksum : public HashedItems<Checksum> {
  public:
    Checksum();
    Checksum(const Checksum&) = delete;
    Checksum& operator=(const Checksum&) = delete;
    ~Checksum();

    void add_bytes(std::span<const std::byte> bytes);

    /// Returns the checksum as 16 hexadecimal digits.
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace popflow::core
