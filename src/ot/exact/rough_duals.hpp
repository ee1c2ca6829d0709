// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact/dense_costs.hpp"

namespace popflow::ot {

/// Approximates the column duals of a dense transport problem by a few sweeps of Sinkhorn's iteration in fp32
/// for each of a few falling epsilons. The kernel of half an epsilon is the square of the kernel.
///
/// The duals only choose a starting basis, so any result is allowed. Keeps its memory between problems.
class RoughDuals {
  public:
    /// Computes g [m] in units of the integer costs.
    ///
    /// @param supply, demand  > 0, with equal sums
    std::span<const float> compute(const DenseCosts& costs, std::span<const std::int64_t> supply,
                                   std::span<const std::int64_t> demand);

  private:
    void sweep();

    std::size_t padded_cols_ = 0;
    linalg::AlignedVector<float> kernel_;  // rows padded to a multiple of 4
    linalg::AlignedVector<float> a_;
    linalg::AlignedVector<float> b_;        // 0 in the padding
    linalg::AlignedVector<float> factors_;  // e^(g_j / epsilon)
    linalg::AlignedVector<float> weights_;  // b_j factors_j
    linalg::AlignedVector<float> sums_;
    linalg::AlignedVector<float> g_;
};

}  // namespace popflow::ot
