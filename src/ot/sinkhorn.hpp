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
    std::vector<double> f;  ///< [n], of the rows
    std::vector<double> g;  ///< [m], of the columns
};

struct SinkhornOptions {
    double epsilon = 0.02;     ///< entropy, relative to the mean of the cost (above its least element)
    std::size_t sweeps = 100;  ///< at most this many updates of f and g
    /// Stop when a step of g changes the column marginals by this little in the 1-norm; total mass is 1. 0
    /// takes all sweeps.
    double tolerance = 0;
    bool may_stop_short = false;  ///< of the tolerance when the sweeps are used up, which is else an error
    double over_relaxation =
        1;  ///< in [1, 2): steps of g are this much longer; above 1 is faster, but may not settle
    /// What it costs to miss the marginals, relative to the mean of the cost: rho KL(P 1 | a) for the rows,
    /// likewise for the columns. Infinite keeps them.
    double rho_rows = std::numeric_limits<double>::infinity();
    double rho_cols = std::numeric_limits<double>::infinity();
    bool count_partners = false;  ///< fill SinkhornResult::partners
    bool values = false;          ///< fill SinkhornResult::value, transport_cost and mass
};

/// What sinkhorn() reached.
struct SinkhornResult {
    Potentials potentials;
    std::size_t sweeps = 0;
    double marginal_error = 0;  ///< 1-norm by which the last step of g changed the column marginals
    /// Mean over rows, about a quarter of them, of 1 / sum_j (P_ij / a_i)^2: on how many partners a row's
    /// mass is spread. 0 if not asked for.
    double partners = 0;
    /// The dual value at g and the f that is best for it, in double:
    /// min <P, C> + eps KL(P | a b) + rho KL(P 1 | a) + rho KL(P^T 1 | b), whose error is that of g squared.
    double value = 0;
    double transport_cost = 0;  ///< <P, C> of that plan
    double mass = 0;            ///< sum of P
};

/// Entropic dual potentials by Sinkhorn's iteration in the log domain:
/// f_i = -eps log sum_j b_j exp((g_j - c_ij) / eps), then g_j likewise with a and f.
///
/// Where marginals may be missed each step is shortened: f_i times rho / (rho + eps), likewise g_j.
///
/// Works in fp32 with the row maximum taken out of every sum, so that no epsilon over- or underflows; a
/// column whose mass underflows takes its potential from its cheapest row. Each sweep reads the cost once
/// and takes one exponential per element. Bits do not depend on the number of threads.
///
/// Shapes:  a [n], b [m], weights >= 0, or empty for uniform; `start`
///          may be null, or one of its potentials empty; if it has g that is what counts.
/// Units:   potentials in those of the cost.
/// Source:  Peyre and Cuturi, "Computational optimal transport", 2019, section 4.4; deviation: the column
///          sums are formed from the row-normalised plan in the same pass. Unbalanced: Chizat, Peyre,
///          Schmitzer and Vialard, "Scaling algorithms for unbalanced optimal transport problems", Math.
///          Comp. 87, 2018; Sejourne, Feydy, Vialard, Trouve and Peyre, "Sinkhorn divergences for unbalanced
///          optimal transport", 2019, for KL against a b.
///
/// @throws core::ShapeMismatch if a weight vector or a potential has another length
/// @throws core::NumericalError if the potentials leave the finite numbers, or the sweeps are used up above a
///         tolerance other than 0
SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

/// The same on a bare matrix; potentials are in its units.
SinkhornResult sinkhorn(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

}  // namespace popflow::ot
