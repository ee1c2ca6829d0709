// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Returns the optimal assignment between two batches of equal size: the pairing with the smallest sum of
/// squared distances.
///
/// Exact: solves the assignment problem, not an entropic approximation.
///
/// Shapes:  x0 [n, d], x1 [n, d]. The result [n] is a permutation: partner[i] is the row of x1 that is paired
///          with row i of x0.
/// Source:  Tong et al., "Improving and generalizing flow-based generative models with minibatch optimal
///          transport", TMLR 2024, section 3.2.
/// @throws core::ShapeMismatch if the batches differ in shape or are empty
/// @throws core::NumericalError if a value is not finite
std::vector<std::uint32_t> optimal_partners(linalg::ConstMatrixView<float> x0,
                                            linalg::ConstMatrixView<float> x1);

}  // namespace popflow::ot
