// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

namespace popflow::support {

/// Returns the relative error ||g - g'|| / max(||g||, ||g'||) between a gradient g and central differences g'
/// of `loss` in `x`. Restores `x`. The loss must be differentiable near `x`.
///
/// @param h  step of the differences
inline double gradient_error(std::span<double> x, std::span<const double> gradient,
                             const std::function<double()>& loss, double h = 1e-6) {
    double difference = 0;
    double size = 0;
    double numeric_size = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double original = x[i];
        x[i] = original + h;
        const double above = loss();
        x[i] = original - h;
        const double below = loss();
        x[i] = original;
        const double numeric = (above - below) / (2 * h);
        difference += (numeric - gradient[i]) * (numeric - gradient[i]);
        size += gradient[i] * gradient[i];
        numeric_size += numeric * numeric;
    }
    return std::sqrt(difference) / std::sqrt(std::max({size, numeric_size, 1e-300}));
}

}  // namespace popflow::support
