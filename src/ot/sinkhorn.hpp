// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "ot/cost.hpp"

namespace popflow::ot {

/// Dual potentials of a transport problem, in the units of the cost.
struct Potentials {
    std::vector<double> f;  ///< [n], potentials of the rows
    std::vector<double> g;  ///< [m], potentials of the columns
};

struct SinkhornOptions {
    /// Weight of the entropy, relative to the mean of the cost above its smallest element.
    double epsilon = 0.02;
    /// Maximum number of sweeps. A sweep updates f and g once.
    std::size_t sweeps = 100;
    /// Stops when an update of g changes the column marginals by at most this much in the 1-norm. The total
    /// mass is 1. 0 runs all sweeps.
    double tolerance = 0;
    /// Whether to return the last potentials if the sweeps end above the tolerance, instead of throwing.
    bool allow_unconverged = false;
    /// Factor on the updates of g, in [1, 2). Above 1 converges faster, but may not converge.
    double over_relaxation = 1;
    /// Weights of the marginal penalties of unbalanced transport, relative to the mean of the cost:
    /// rho KL(P 1 | a) for the rows, rho KL(P^T 1 | b) for the columns. Infinite enforces the marginal.
    double rho_rows = std::numeric_limits<double>::infinity();
    double rho_cols = std::numeric_limits<double>::infinity();
    bool count_partners = false;  ///< whether to fill SinkhornResult::partners
    bool values = false;          ///< whether to fill SinkhornResult::value, transport_cost and mass
};

/// Result of sinkhorn().
struct SinkhornResult {
    Potentials potentials;
    std::size_t sweeps = 0;     ///< number of sweeps done
    double marginal_error = 0;  ///< 1-norm by which the last update of g changed the column marginals
    /// Effective number of columns that share the mass of a row: the mean of 1 / sum_j (P_ij / a_i)^2 over
    /// about a quarter of the rows. 0 unless SinkhornOptions::count_partners is set.
    double partners = 0;
    /// Dual value of min <P, C> + eps KL(P | a b) + rho KL(P 1 | a) + rho KL(P^T 1 | b), in double, at g and
    /// the optimal f for this g. Its error is quadratic in the error of g.
    double value = 0;
    double transport_cost = 0;  ///< <P, C> of the plan P of these potentials
    double mass = 0;            ///< sum of P
};

/// Computes entropic dual potentials by Sinkhorn iteration in the log domain:
/// f_i = -eps log sum_j b_j exp((g_j - c_ij) / eps), then g_j likewise with a and f.
///
/// Unbalanced transport damps the updates: f_i is multiplied by rho / (rho + eps), likewise g_j.
///
/// Works in fp32. Subtracts the row maximum in every sum, so that no epsilon overflows or underflows. A
/// column whose mass underflows takes its potential from its cheapest row. Each sweep reads the cost once and
/// computes one exponential per element. Deterministic: the result does not depend on the number of threads.
///
/// Shapes:  a [n], b [m], weights >= 0, or empty for uniform. `start` may be null, and one of its potentials
///          may be empty. If it has g, f is ignored.
/// Units:   potentials in the units of the cost.
/// Source:  Peyre and Cuturi, "Computational optimal transport", 2019, section 4.4. Deviation: the column
///          sums are formed from the row-normalised plan in the same pass.
///          Unbalanced: Chizat, Peyre, Schmitzer and Vialard, "Scaling algorithms for unbalanced optimal
///          transport problems", Math. Comp. 87, 2018. KL against a b: Sejourne, Feydy, Vialard, Trouve and
///          Peyre, "Sinkhorn divergences for unbalanced optimal transport", 2019.
///
/// @throws core::ShapeMismatch if a weight vector or a potential has the wrong length
/// @throws core::NumericalError if a potential is not finite, or if the sweeps end above a nonzero tolerance
///         and allow_unconverged is not set
/// @throws core::Cancelled see core::CancellationScope
SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

/// Same for an fp32 matrix. Potentials are in the units of the matrix.
SinkhornResult sinkhorn(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

}  // namespace popflow::ot
