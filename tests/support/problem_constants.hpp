// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "models/family.hpp"

namespace popflow::support {

/// Returns the constants of a model of problems between histograms over `side` x `side` atoms of the unit
/// square.
inline models::Constants problem_constants(std::size_t side) {
    linalg::Matrix<float> positions(side * side, 2);
    for (std::size_t i = 0; i < positions.rows(); ++i) {
        positions(i, 0) = static_cast<float>(i % side) / static_cast<float>(side - 1);
        positions(i, 1) = static_cast<float>(i / side) / static_cast<float>(side - 1);
    }
    linalg::Matrix<float> epsilon(1, 1);
    epsilon(0, 0) = 0.05F;
    linalg::Matrix<float> scale(1, 1);
    scale(0, 0) = 0.1F;
    return {.matrices = {{"source_positions", positions},
                         {"target_positions", positions},
                         {"epsilon", epsilon},
                         {"scale", scale}}};
}

}  // namespace popflow::support
