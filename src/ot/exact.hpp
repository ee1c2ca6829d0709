// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/cost.hpp"
#include "ot/sinkhorn.hpp"

namespace popflow::ot {

/// Mass that the plan moves from row i to column j.
struct PlanEntry {
    std::uint32_t i;
    std::uint32_t j;
    double mass;
};

/// An optimal plan with its proof.
struct TransportPlan {
    std::vector<PlanEntry> plan;  ///< by rows; at most n + m - 1 entries unless costs tie
    double value = 0;             ///< sum of mass times cost, in double from the inputs
    Potentials duals;             ///< f_i + g_j <= c_ij, equal on the plan
    double violation = 0;         ///< as measured by certify()
    double gap = 0;               ///< as measured by certify(): no plan is better by more than these two
    std::size_t rounds = 0;       ///< how often all arcs were checked for some to add
    std::size_t arcs = 0;         ///< how many arcs were looked at closely
};

enum class ExactMethod {
    automatic,  ///< as the problem suggests
    simplex,    ///< the network simplex from the start
};

struct ExactOptions {
    const Potentials* start = nullptr;  ///< duals of a similar problem; null starts from entropic ones
    std::size_t rounds = 1000;          ///< at most this often arcs are added
    ExactMethod method = ExactMethod::automatic;
};

/// Optimal transport min <P, C> over the plans P >= 0 with row sums a and column sums b, solved exactly.
///
/// Entropic duals order the arcs. Where n = m and all weights are equal, an assignment is solved on the few
/// best of each row, the duals are checked against all n m arcs, those they break are added, and the search
/// goes on until there are none. Where each row and column has few units (5000 cells to 4000), shortest paths
/// look at more of a row where they come to the end of its list; if they take too long, or there are more
/// units, the network simplex solves it, again with all arcs checked between its rounds.
/// Distances and their squares on the line need no search: the plan keeps the order. The duals that are
/// returned are measured against every arc. Costs enter as integers of 44 bits (fewer above 2^17 cells), so
/// the plan is optimal for costs that differ from the true ones by at most 2^-44 of the largest. Bits do not
/// depend on the number of threads.
///
/// Shapes:  a [n], b [m]; empty means uniform with total mass 1. Uniform weights are exact, others are
///          rounded to multiples of about n 2^-60 of the total.
/// Units:   value, duals, violation and gap in those of the cost (times mass).
/// Source:  duals as a filter for arcs: Schmitzer, "A sparse multiscale algorithm for dense optimal
///          transport", J. Math. Imaging Vis. 56, 2016; deviation: entropic duals from the hierarchy of
///          points.
///
/// @throws core::ShapeMismatch if a weight vector has another length
/// @throws core::NumericalError if a weight is negative or not finite, the totals differ by more than 1e-6
///         of themselves, the rounds are used up, or the duals do not prove the plan
TransportPlan solve_exact(const Cost& cost, std::span<const double> a = {}, std::span<const double> b = {},
                          const ExactOptions& options = {});

/// Duals of the squared cost from those of the cost: c^2 about its tangent at c0, so f' = 2 c0 f - c0^2 and
/// g' = 2 c0 g.
///
/// A start for exact(): good where the distances that the plan uses do not differ much, as in many markers.
///
/// @param typical  c0, such as the value of the first problem
Potentials duals_of_squares(const Potentials& duals, double typical);

}  // namespace popflow::ot
