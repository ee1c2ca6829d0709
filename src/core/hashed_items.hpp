// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace popflow::core {

/// Base of Digest and Checksum. Passes texts, numbers and arrays as bytes to `Hash::add_bytes()`.
template <class Hash>
class HashedItems {
  public:
    void add(std::string_view text) { bytes(std::span(text.data(), text.size())); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(T value) { bytes(std::span<const T>(&value, 1)); }
    template <class T>
    requires std::is_arithmetic_v<T>
    void add(std::span<const T> values) { bytes(values); }

  private:
    template <class T>
    void bytes(std::span<const T> values) {
        static_cast<Hash*>(this)->add_bytes(std::as_bytes(values));
    }
};

}  // namespace popflow::core
