// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/hashed_items.hpp"

namespace popflow::core {

/// 64-bit digest of a sequence of texts, numbers and arrays. It detects damage and is not cryptographic.
///
/// Each step h <- m(h ^ word) is a bijection in h and in the word. Hence a change within one aligned word of
/// 8 bytes always changes the digest. Any other change is missed with a probability of 2^-64. The length of
/// each item is part of the digest.
class Digest : public HashedItems<Digest> {
  public:
    void add_bytes(std::span<const std::byte> bytes);

    /// Returns the digest as 16 hexadecimal digits.
    std::string text() const;

  private:
    void mix(std::uint64_t word);

    // First bits of the fraction of pi. Not zero, so that leading zero words change the digest.
    std::uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace popflow::core
