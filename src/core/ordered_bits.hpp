// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace popflow::core {

/// Returns an integer that has the order of the floats. Both zeros have the same one. `value` is not NaN.
inline std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
    return bits ^ ((0U - (bits >> 31U)) | 0x80000000U);  // all bits of a negative value, the sign of others
}

/// Returns an integer that orders by value, then by index. Its lower 32 bits are the index.
inline std::uint64_t ordered_key(float value, std::uint32_t index) {
    return std::uint64_t{ordered_bits(value)} << 32U | index;
}

}  // namespace popflow::core
