// SPDX-License-Identifier: MIT
#include "screen/transform.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/error.hpp"
#include "core/simd.hpp"
#include "core/text.hpp"

namespace popflow::screen {

namespace {

// Computes log(1 + y) for y >= 0 with a relative error of about 2e-16. Unlike the function of the C library,
// this form can be vectorised. With 1 + y = 2^k m and m between sqrt(1/2) and sqrt(2), log m is the series 2
// artanh(s) = 2 s + 2/3 s^3 + ... of s = (m - 1) / (m + 1), |s| < 0.172. The rounding error of 1 + y is
// added.
[[gnu::always_inline]] inline double log_of_one_plus(double y) {
    constexpr double ln2_high = 6.93147180369123816490e-01;  // the last 21 bits are 0, so k ln2_high is exact
    constexpr double ln2_low = 1.90821492927058770002e-10;
    constexpr std::uint64_t root_of_half = 0x3fe6a09e667f3bcdULL;
    constexpr std::uint64_t two_to_52 = 0x4330000000000000ULL;
    const double u = 1 + y;
    const double rounded = y < 1 ? y - (u - 1) : 1 - (u - y);
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(u);
    const std::uint64_t exponent = (bits - root_of_half) >> 52U;
    const double k = std::bit_cast<double>(exponent | two_to_52) - std::bit_cast<double>(two_to_52);
    const double f = std::bit_cast<double>(bits - (exponent << 52U)) - 1;
    const double s = f / (2 + f);
    const double z = s * s;
    double p = 2.0 / 21;
    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    // 2 s = f - s f. Hence log m = f - s (f - p z), and its large part f is exact.
    return k * ln2_high + (f - (s * (f - p * z) - (k * ln2_low + rounded / u)));
}

POPFLOW_SIMD void arcsinh(float* x, std::size_t n, double cofactor) {
    for (std::size_t i = 0; i < n; ++i) {
        const double scaled = static_cast<double>(x[i]) / cofactor;
        const double a = std::abs(scaled);
        // log(a + sqrt(a^2 + 1)), written without a^2, which may overflow, and without the sum with 1, which
        // loses the digits of a small a.
        const double r = 1 / a;
        const double log = log_of_one_plus(a + a / (r + std::sqrt(r * r + 1)));
        x[i] = static_cast<float>(std::copysign(log, scaled));
    }
}

POPFLOW_SIMD void log1p(float* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(log_of_one_plus(static_cast<double>(x[i])));
}

// Returns whether all values are in [low, high]. NaN is outside.
POPFLOW_SIMD bool all_between(const float* x, std::size_t n, float low, float high) {
    int outside = 0;
    for (std::size_t i = 0; i < n; ++i) outside |= static_cast<int>(!(x[i] >= low && x[i] <= high));
    return outside == 0;
}

}  // namespace

Transform Transform::parse(const std::string& text) {
    if (text == "none") return {Kind::none, 1};
    if (text == "log1p") return {Kind::log1p, 1};
    if (text == "arcsinh") return {Kind::arcsinh, 5};
    const std::string prefix = "arcsinh:";
    if (text.starts_with(prefix)) {
        const std::optional<double> cofactor = core::label_number(text.substr(prefix.size()));
        if (cofactor && *cofactor > 0) return {Kind::arcsinh, *cofactor};
    }
    throw core::ConfigError(
        "transform", "found `" + text + "`. Give arcsinh:COFACTOR with a number above 0, log1p or none");
}

std::string Transform::text() const {
    switch (kind) {
        case Kind::arcsinh:
            return "arcsinh:" + core::number_label(cofactor);
        case Kind::log1p:
            return "log1p";
        case Kind::none:
            break;
    }
    return "none";
}

void Transform::apply(std::span<float> values) const {
    switch (kind) {
        case Kind::arcsinh:
            return arcsinh(values.data(), values.size(), cofactor);
        case Kind::log1p:
            return log1p(values.data(), values.size());
        case Kind::none:
            return;
    }
}

bool Transform::allows(std::span<const float> values) const {
    constexpr float max = std::numeric_limits<float>::max();
    return all_between(values.data(), values.size(), kind == Kind::log1p ? 0 : -max, max);
}

double Transform::invert(double transformed) const {
    switch (kind) {
        case Kind::arcsinh:
            return cofactor * std::sinh(transformed);
        case Kind::log1p:
            return std::expm1(transformed);
        case Kind::none:
            break;
    }
    return transformed;
}

}  // namespace popflow::screen
