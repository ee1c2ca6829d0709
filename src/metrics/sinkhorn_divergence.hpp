// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

struct SinkhornDivergenceOptions {
    /// Weight of the entropy, relative to the mean squared distance between the two populations.
    double epsilon = 0.05;
    /// Weight of the marginal penalties, relative to the same mean. Infinite means balanced transport.
    double rho = std::numeric_limits<double>::infinity();
};

/// Returns the Sinkhorn divergence OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2, where
/// OT(x, y) = min <P, C> + eps KL(P | a b) + rho KL(P 1 | a) + rho KL(P^T 1 | b).
///
/// C holds the squared distances, a and b are uniform. The marginals of P become exact as rho grows. The
/// divergence is zero if and only if the populations are the same. Potentials are fp32. The values are
/// computed in double from the potentials, so their error is quadratic in the error of the potentials.
///
/// Shapes:  x [n, d], y [m, d]. Memory: 4 max(n, m)^2 bytes.
/// Units:   squared units of the markers.
/// Source:  Feydy et al., "Interpolating between optimal transport and MMD using Sinkhorn divergences",
///          AISTATS 2019, eq. 3. Sejourne et al., "Sinkhorn divergences for unbalanced optimal transport",
///          2019.
/// @throws core::ShapeMismatch if the populations differ in their number of markers or one is empty
/// @throws core::NumericalError if a value is not finite, or the iteration does not converge
double sinkhorn_divergence(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                           const SinkhornDivergenceOptions& options = {});

}  // namespace popflow::metrics
