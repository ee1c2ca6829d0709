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

}  // namespace popflow::ot
