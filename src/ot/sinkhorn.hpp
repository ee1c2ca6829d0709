// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
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
    double tolerance = 0;  ///< stop when the column marginals are this close in the 1-norm; total mass is 1
    double over_relaxation =
        1;  ///< in [1, 2): steps of g are this much longer; above 1 is faster, but may not settle
    bool count_partners = false;  ///< fill SinkhornResult::partners
};

/// What sinkhorn() reached.
struct SinkhornResult {
    Potentials potentials;
    std::size_t sweeps = 0;
    double marginal_error = 0;  ///< 1-norm of the column marginals' error before the last step of g
    /// Mean over the rows of 1 / sum_j (P_ij / a_i)^2: on how many partners a row's mass is spread. 0 if
    /// not asked for.
    double partners = 0;
};

/// Entropic dual potentials by Sinkhorn's iteration in the log domain:
/// f_i = -eps log sum_j b_j exp((g_j - c_ij) / eps), then g_j likewise with a and f.
///
/// Works in fp32 with the row maximum taken out of every sum, so that no epsilon over- or underflows; a
/// column whose mass underflows takes its potential from its cheapest row. Each sweep reads the cost once
/// and takes one exponential per element. Bits do not depend on the number of threads.
///
/// Shapes:  a [n], b [m], weights >= 0, or empty for uniform; `start` (its g alone is used) may be null.
/// Units:   potentials in those of the cost.
/// Source:  Peyre and Cuturi, "Computational optimal transport", 2019, section 4.4; deviation: the column
///          sums are formed from the row-normalised plan in the same pass.
///
/// @throws core::ShapeMismatch if a weight vector or a potential has another length
/// @throws core::NumericalError if the potentials leave the finite numbers
SinkhornResult sinkhorn(const Cost& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

/// The same on a bare matrix; potentials are in its units.
SinkhornResult sinkhorn(const CostRows& cost, std::span<const double> a, std::span<const double> b,
                        const SinkhornOptions& options, const Potentials* start = nullptr);

}  // namespace popflow::ot
