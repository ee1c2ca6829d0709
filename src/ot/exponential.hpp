// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace popflow::ot {

/// Returns e^x for -700 <= x <= 0 with a relative error of at most 3e-16.
///
/// Splits x = k ln(2) + r with |r| <= ln(2) / 2. The result is 2^k times the Taylor polynomial of degree 12
/// at r.
[[gnu::always_inline]] inline double exp_of_negative(double x) {
    constexpr double round_to_integer = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
    const double shifted = x * 1.4426950408889634 + round_to_integer;
    const double k = shifted - round_to_integer;
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double p = 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return std::bit_cast<double>(std::bit_cast<std::int64_t>(p) +
                                 (std::bit_cast<std::int64_t>(shifted) << 52));
}

/// Returns ln x for a positive normal x with an error of at most 3e-16 (1 + |ln x|).
///
/// Splits x = 2^k m with 1/sqrt(2) <= m < sqrt(2). ln m = 2 atanh(s) with s = (m - 1) / (m + 1), a series in
/// s.
[[gnu::always_inline]] inline double log_of_normal(double x) {
    constexpr double power_52 = 4503599627370496.0;  // 2^52: its lower bits hold an integer
    constexpr auto root_half = std::bit_cast<std::int64_t>(0.70710678118654752);
    constexpr auto one = std::bit_cast<std::int64_t>(1.0);
    const auto bits = std::bit_cast<std::int64_t>(x);
    const auto biased = static_cast<std::int64_t>(static_cast<std::uint64_t>(bits - root_half + one) >> 52U);
    const double k =
        std::bit_cast<double>(biased + std::bit_cast<std::int64_t>(power_52)) - (power_52 + 1023);
    const double m = std::bit_cast<double>(bits - (biased << 52) + one);
    const double s = (m - 1) / (m + 1);
    const double z = s * s;
    double p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return k * 6.93147180369123816490e-01 + (2 * s + (2 * s * z * p + k * 1.90821492927058770002e-10));
}

}  // namespace popflow::ot
