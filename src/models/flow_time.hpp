// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

namespace popflow::models {

/// Number of frequencies k pi of the time features of flows over populations, k = 1, 2, ...
inline constexpr std::size_t flow_time_frequencies = 16;

/// Number of values that write_flow_time() writes.
inline constexpr std::size_t flow_time_size = 2 * flow_time_frequencies;

/// Writes cos(k pi t) and sin(k pi t) in turn, and returns the end of the features.
///
/// Shape: out [flow_time_size].
template <class Real>
Real* write_flow_time(Real t, Real* out) {
    for (std::size_t k = 1; k <= flow_time_frequencies; ++k) {
        const Real angle = static_cast<Real>(k) * std::numbers::pi_v<Real> * t;
        *out++ = std::cos(angle);
        *out++ = std::sin(angle);
    }
    return out;
}

}  // namespace popflow::models
