// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Nonzero entry of a transport plan: the mass that moves from row i to column j.
struct PlanEntry {
    std::uint32_t i;
    std::uint32_t j;
    double mass;
};

/// Optimal transport plan with dual potentials that prove it optimal.
struct TransportPlan {
    std::vector<PlanEntry> plan;  ///< sorted by rows, at most n + m - 1 entries unless costs tie
    double value = 0;             ///< sum of mass times cost, in double from the inputs
    Potentials duals;             ///< feasible, f_i + g_j <= c_ij, with equality on the plan
    double violation = 0;         ///< Certificate::violation of the plan
    double gap = 0;               ///< Certificate::gap of the plan
    std::size_t rounds = 0;       ///< number of times all arcs were priced
    std::size_t arcs = 0;         ///< number of candidate arcs at the end
};

enum class ExactMethod {
    automatic,  ///< chosen by the cost and the weights, see solve_exact()
    simplex,    ///< always the network simplex
};

struct ExactOptions {
    const Potentials* start = nullptr;  ///< warm start: duals of a similar problem, null for entropic duals
    std::size_t rounds = 1000;          ///< maximum number of pricing rounds
    ExactMethod method = ExactMethod::automatic;
};

/// Solves the optimal transport problem exactly: min <P, C> over the plans P >= 0 with marginals a and b.
///
/// Entropic dual potentials select a few candidate arcs of each row, those with the smallest reduced costs.
/// The solver depends on the problem:
/// - Euclidean distances between points with one marker, or their squares: the monotone plan, without search.
/// - n = m and uniform weights: an assignment problem by shortest augmenting paths on the candidate arcs.
/// - Otherwise: the primal-dual method on the candidate arcs. With many units of mass per row or column the
///   duals are first refined on these arcs. If its phases get slow, the network simplex continues from its
///   plan.
///
/// Solvers alternate with pricing. A pricing round computes the reduced costs of all n m arcs and adds those
/// with negative reduced cost. The search ends when there are none. certify() then checks the returned duals
/// against every arc.
///
/// Costs enter as integers of 44 bits (fewer above 2^17 cells). The plan is therefore optimal for costs that
/// differ from the true ones by at most 2^-44 of the largest. Deterministic: the result does not depend on
/// the number of threads.
///
/// Shapes:  a [n], b [m]. Empty means uniform with total mass 1. Uniform weights are exact. Others are
///          rounded to multiples of about n 2^-60 of the total.
/// Units:   value and gap: cost times mass. duals and violation: cost.
/// Source:  dual potentials as a filter for arcs: Schmitzer, "A sparse multiscale algorithm for dense optimal
///          transport", J. Math. Imaging Vis. 56, 2016. Deviation: the duals are entropic ones from a
///          hierarchy of point clusters.
///
/// @throws core::ShapeMismatch if a weight vector has the wrong length
/// @throws core::NumericalError if a weight is negative or not finite, the totals differ by more than a
///         relative 1e-6, arcs with negative reduced cost remain after the last round, or the duals are not
///         feasible
/// @throws core::Cancelled see core::CancellationScope
TransportPlan solve_exact(const Cost& cost, std::span<const double> a = {}, std::span<const double> b = {},
                          const ExactOptions& options = {});

/// Approximates the duals for the squared cost from the duals for the cost.
///
/// Linearises c^2 at c0, so that f' = 2 c0 f - c0^2 and g' = 2 c0 g. A warm start for solve_exact(), good if
/// the distances on the plan do not differ much, as with many markers.
///
/// @param typical  c0, for example the value of the problem with the unsquared cost
Potentials squared_cost_duals(const Potentials& duals, double typical);

}  // namespace popflow::ot
