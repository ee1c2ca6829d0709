// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"
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

/// Options of entropic_partners(). Weights are relative to the mean squared distance.
struct EntropicCoupling {
    double epsilon = 1;  ///< weight of the entropy
    /// Weight of the penalties on the marginals of unbalanced transport, 0 for exact marginals.
    double rho = 0;
};

/// Pairs of rows of two batches.
struct Partners {
    std::vector<std::uint32_t> base;    ///< rows of x0
    std::vector<std::uint32_t> target;  ///< rows of x1
};

/// Draws pairs of rows from the plan of entropic transport with squared distances.
///
/// With exact marginals each row of x0 has one pair, whose partner is drawn from the row of the plan. With
/// penalties, rows of x0 are drawn by their mass in the plan (systematic sampling), so that cells without a
/// counterpart take part less often. An epsilon of 1 or more is close to independent draws, a small one to
/// optimal_partners().
///
/// Shapes:  x0 [n, d], x1 [m, d]. The result has n pairs.
/// Random:  2 n numbers of the stream at most.
/// Source:  Pooladian et al., "Multisample flow matching", ICML 2023. Unbalanced: Eyring et al.,
///          "Unbalancedness in neural Monge maps improves unpaired domain translation", ICLR 2024.
/// @throws core::ShapeMismatch if the batches differ in columns or are empty
/// @throws core::NumericalError if a value is not finite
Partners entropic_partners(linalg::ConstMatrixView<float> x0, linalg::ConstMatrixView<float> x1,
                           const EntropicCoupling& options, core::Stream stream);

}  // namespace popflow::ot
