// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace popflow::linalg {

/// bfloat16: the upper half of a float, with its exponent and 8 bits of significand.
struct bfloat16 {
    std::uint16_t bits = 0;
};

/// Rounds to the nearest bfloat16, ties to even. NaN stays NaN.
inline bfloat16 to_bfloat16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    const std::uint32_t quiet = (bits >> 16U) | 0x40U;
    return {static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? quiet : rounded)};
}

inline float to_float(bfloat16 x) {
    return std::bit_cast<float>(std::uint32_t{x.bits} << 16U);
}

/// Type in which products of matrices of T are accumulated: float for bfloat16, T otherwise.
template <class T>
struct Accumulator {
    using type = T;
};
template <>
struct Accumulator<bfloat16> {
    using type = float;
};
template <class T>
using accumulator_t = typename Accumulator<T>::type;

/// Returns x in the type of its accumulator.
template <class T>
[[gnu::always_inline]] inline accumulator_t<T> real_of(T x) {
    return x;
}
template <>
[[gnu::always_inline]] inline float real_of(bfloat16 x) {
    return to_float(x);
}

/// Rounds x to the type of `to`.
template <class T>
[[gnu::always_inline]] inline void round_to(accumulator_t<T> x, T& to) {
    to = x;
}
template <>
[[gnu::always_inline]] inline void round_to(float x, bfloat16& to) {
    to = to_bfloat16(x);
}

}  // namespace popflow::linalg
