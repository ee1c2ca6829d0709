// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace popflow::linalg {

// Rounds without a function call: (x + round_shift) - round_shift is the nearest integer if |x| < 2^22.
inline constexpr float round_shift = 12582912.0F;  // 1.5 * 2^23

/// Returns e^x for x <= 0 with a relative error below 2e-7. Arguments below -87 count as -87, because the
/// results soon become subnormal there. Inlined into vectorised loops.
///
/// Writes x = k ln 2 + r, evaluates a polynomial in r and puts k into the exponent.
/// Source: constants of expf of Cephes.
inline float exp_negative(float x) {
    x = x < -87.0F ? -87.0F : x;
    const float k = (x * 1.44269504088896341F + round_shift) - round_shift;
    const float r = (x - k * 0.693359375F) + k * 2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = (p * r * r + r) + 1.0F;
    const auto exponent = static_cast<std::int32_t>(k) + 127;
    return p * std::bit_cast<float>(exponent << 23);
}

/// Coefficients of r, r^2, ..., r^5 in 2^r - 1 for |r| <= 1/2: a minimax fit of the relative error of 2^r,
/// 9e-8.
inline constexpr float exp2_coefficients[] = {6.9314697760e-01F, 2.4022242085e-01F, 5.5507337433e-02F,
                                              9.6715126397e-03F, 1.3264727197e-03F};

/// Returns 2^x for x <= 32 with a relative error below 3e-7. Arguments below -125 count as -125, so that no
/// result is subnormal. Inlined into vectorised loops.
///
/// Rounds x to the integer k, evaluates a polynomial in x - k and adds k to the exponent.
inline float exp2_bounded(float x) {
    x = x < -125.0F ? -125.0F : x;
    const float shifted = x + round_shift;
    const float r = x - (shifted - round_shift);
    float p = exp2_coefficients[4];
    p = p * r + exp2_coefficients[3];
    p = p * r + exp2_coefficients[2];
    p = p * r + exp2_coefficients[1];
    p = p * r + exp2_coefficients[0];
    p = p * r + 1.0F;
    // The low bits of `shifted` hold k.
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) +
                                (std::bit_cast<std::uint32_t>(shifted) << 23U));
}

}  // namespace popflow::linalg
