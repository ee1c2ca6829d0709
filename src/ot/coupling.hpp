// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Which cell of x1 each cell of x0 is paired with in training, at random: a uniform order of the cells of
/// x1.
///
/// @param stream  one draw of a permutation
/// @return partner [n], partner[i] a row of x1; a permutation
std::vector<std::uint32_t> random_partners(std::size_t n, core::Stream& stream);

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

/// A pair of cells drawn from a plan.
struct CellPair {
    std::uint32_t source;
    std::uint32_t target;
};

/// `count` independent pairs from the exact plan (squared distance, uniform weights) between batches of any
/// sizes.
///
/// Shapes:  x0 [n, d], x1 [m, d].
/// @param stream  one uniform number per pair
/// @throws as optimal_partners()
std::vector<CellPair> sample_optimal_pairs(linalg::ConstMatrixView<float> x0,
                                           linalg::ConstMatrixView<float> x1, std::size_t count,
                                           core::Stream& stream);

}  // namespace popflow::ot
