// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace popflow::core {

/// Returns an integer that has the order of the floats. Both zeros have the same one. `value` is not NaN.
inline std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
    return bits ^ (static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31) | 0x80000000U);
}

}  // namespace popflow::core
