// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// Change of the moments of a population: x -> (x - mean) exp(log_ratio) + mean + shift.
struct MomentChange {
    std::vector<double> shift;      ///< [d]
    std::vector<double> log_ratio;  ///< [d] logarithm of the ratio of the standard deviations
};

/// Changes cells in place. Uses all threads.
///
/// Shapes: means [d] of their population, x [n, d].
/// @throws core::NumericalError if a value of the change is not finite
void apply_change(const MomentChange& change, std::span<const float> means, linalg::MatrixView<float> x);

}  // namespace popflow::models
