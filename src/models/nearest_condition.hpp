// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "linalg/matrix.hpp"

namespace popflow::models {

/// Returns the row of the condition vector that is nearest in Euclidean distance, the first one if several
/// are.
///
/// Shapes:  conditions [rows, c], condition [c].
std::size_t nearest_condition(linalg::ConstMatrixView<float> conditions, std::span<const float> condition);

}  // namespace popflow::models
