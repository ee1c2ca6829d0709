// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "nn/convex_potential.hpp"

namespace popflow::nn {

/// Weights of the loss of a PotentialPair.
struct PotentialPairOptions {
    double cycle = 1;  ///< weight of the cycle terms
};

/// Two convex potentials between a source and a target population: grad D maps the source to the target, and
/// grad E, where E models the conjugate of D, maps back.
///
/// Loss of Wasserstein-2 generative networks (W2GN), with y^ = grad E(y) constant in the first term:
///
///     mean_i D(x_i) + mean_j (<y^_j, y_j> - D(y^_j))
///       + cycle (mean |grad D(grad E(y)) - y|^2 + mean |grad E(grad D(x)) - x|^2),
///
/// where all means are over cells. The cycle terms of the source are 3 times a mean over cells and
/// coordinates. For its three coordinates this is the sum over coordinates, that is cycle = 1. With many
/// markers the mean is too weak, and the loss has no lower bound. The gradient is in closed form: the map of
/// a ConvexPotential needs no backward pass, so that nothing is differentiated twice.
///
/// Shapes:  x [n, inputs], y [m, inputs], d_source and d_target [shape.size()].
/// Source:  Korotin et al., "Wasserstein-2 generative networks", ICLR 2021, and the code of Amos et al.,
///          "Meta optimal transport", ICML 2023, which has the cycle term in both directions and the
///          weight 3.
/// Deviation: no penalty of the parameters (1e-6 in the code).
template <class Real>
class PotentialPair {
  public:
    /// Prepares the potentials D and E. @throws core::ShapeMismatch
    void set(const PotentialShape& shape, std::span<const Real> source, std::span<const Real> target);

    /// Adds the gradients with respect to the parameters of D and of E. Uses all threads, inside a parallel
    /// region the calling one. Deterministic for any number of threads.
    /// @return the loss
    /// @throws core::ShapeMismatch
    double loss_and_gradient(linalg::ConstMatrixView<Real> x, linalg::ConstMatrixView<Real> y,
                             const PotentialPairOptions& options, std::span<Real> d_source,
                             std::span<Real> d_target);

    const ConvexPotential<Real>& source() const { return source_; }
    const ConvexPotential<Real>& target() const { return target_; }

  private:
    // Work on one block of cells of one side.
    struct Chain {
        PotentialSums<Real> first;   // sums of the potential of this side
        PotentialSums<Real> second;  // sums of the other potential
        double loss = 0;
    };
    // Buffers of one thread.
    struct Buffers {
        PotentialBlock<Real> first;
        PotentialBlock<Real> second;
        linalg::Matrix<Real> mapped;  // [n, inputs]
        linalg::Matrix<Real> back;
        linalg::Matrix<Real> d_mapped;
    };
    void run_chain(bool is_source, linalg::ConstMatrixView<Real> cells, std::size_t all,
                   const PotentialPairOptions& options, Buffers& buffers, Chain& chain) const;

    ConvexPotential<Real> source_;
    ConvexPotential<Real> target_;
    std::vector<Chain> chains_;
};

}  // namespace popflow::nn
