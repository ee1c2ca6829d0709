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

}  // namespace popflow::core
