// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace popflow::core {

/// A 64-bit digest of a sequence of texts, numbers and arrays, to notice damage; not a cryptographic one.
///
/// Each step h <- m(h ^ word) is a bijection in h and in the word, so that a change within one aligned word
/// of 8 bytes always changes the digest, and any other change is missed once in 2^64. Lengths are part of it.
class Digest {
  public:
    void add_bytes(std::span<const std::byte> bytes);
    void add(std::string_view text) { add_bytes(std::as_bytes(std::span(text.data(), text.size()))); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(T value) { add_bytes(std::as_bytes(std::span(&value, 1))); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(std::span<const T> values) { add_bytes(std::as_bytes(values)); }

    /// 16 hexadecimal digits.
    std::string text() const;

  private:
    void mix(std::uint64_t word);

    std::uint64_t state_ = 0x243f6a8885a308d3;  // not zero, so that leading zeros count
};

}  // namespace popflow::core
