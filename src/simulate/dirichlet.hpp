// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "core/random.hpp"

namespace popflow::simulate {

/// Draws the logarithm of a gamma variate with the given shape and scale 1.
///
/// Logarithms, because variates of a small shape are often below the smallest double.
/// Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000. A shape
/// below 1 uses Gamma(a) = Gamma(a + 1) U^(1/a).
/// @param shape  above 0
double draw_log_gamma(core::Stream& stream, double shape);

/// Draws weights from a Dirichlet distribution. They are at least 0 and sum to 1 up to rounding.
///
/// With a0 = sum of a: mean a_k / a0, covariance (delta_kl a_k a0 - a_k a_l) / (a0^2 (a0 + 1)).
/// @param a  parameters, each above 0
std::vector<double> draw_dirichlet(core::Stream& stream, std::span<const double> a);

}  // namespace popflow::simulate
