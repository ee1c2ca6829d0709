// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// The pairing of least sum of squared distances between two batches of equal size: exact optimal
/// transport.
///
/// Shapes:  x0 [n, d], x1 [n, d]; result [n], partner[i] a row of x1; a permutation.
/// Source:  Tong et al., "Improving and generalizing flow-based generative models with minibatch optimal
///          transport", TMLR 2024, section 3.2.
/// @throws core::ShapeMismatch if the batches differ in shape or are empty
/// @throws core::NumericalError if a value is not finite
std::vector<std::uint32_t> optimal_partners(linalg::ConstMatrixView<float> x0,
                                            linalg::ConstMatrixView<float> x1);

}  // namespace popflow::ot
