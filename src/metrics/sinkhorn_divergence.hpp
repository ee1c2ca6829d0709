// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

struct SinkhornDivergenceOptions {
    double epsilon = 0.05;  ///< entropy, in parts of the mean squared distance between the two populations
    double rho = std::numeric_limits<double>::infinity();  ///< price of missing a marginal, in the same parts
};

/// Sinkhorn divergence OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2, OT(x, y) = min <P, C> + eps KL(P | a b) + rho
/// KL(P 1 | a) + rho KL(P^T 1 | b), C the squared distances, a and b uniform; as rho grows the marginals are
/// kept.
///
/// Zero if and only if the populations are the same. Potentials in fp32, the values in double at the
/// potentials: their errors are those of the potentials squared.
///
/// Shapes:  x [n, d], y [m, d]. Memory: 4 max(n, m)^2 bytes.
/// Units:   those of the markers, squared.
/// Source:  Feydy et al., "Interpolating between optimal transport and MMD using Sinkhorn divergences",
/// AISTATS
///          2019, eq. 3; Sejourne et al., "Sinkhorn divergences for unbalanced optimal transport", 2019.
/// @throws core::ShapeMismatch if the populations differ in markers or one is empty
/// @throws core::NumericalError if a value is not finite, or the iteration does not settle
double sinkhorn_divergence(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                           const SinkhornDivergenceOptions& options = {});

}  // namespace popflow::metrics
