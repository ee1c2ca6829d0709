// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace popflow::core {

/// 64-bit checksum (XXH3) of a sequence of texts, numbers and arrays. It detects damage and is not
/// cryptographic. The length of each item is part of the checksum.
class Checksum {
  public:
    Checksum();
    Checksum(const Checksum&) = delete;
    Checksum& operator=(const Checksum&) = delete;
    ~Checksum();

    void add_bytes(std::span<const std::byte> bytes);
    void add(std::string_view text) { add_bytes(std::as_bytes(std::span(text.data(), text.size()))); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(T value) { add_bytes(std::as_bytes(std::span(&value, 1))); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(std::span<const T> values) { add_bytes(std::as_bytes(values)); }

    /// Returns the checksum as 16 hexadecimal digits.
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace popflow::core
