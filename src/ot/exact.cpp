// SPDX-License-Identifier: MIT
#include "ot/exact.hpp"

#include <algorithm>
#include <cmath>

#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "ot/certificate.hpp"
#include "ot/exact/arcs.hpp"
#include "ot/exact/assignment.hpp"
#include "ot/exact/candidates.hpp"
#include "ot/exact/line.hpp"
#include "ot/exact/network_simplex.hpp"
#include "ot/exact/shortest_paths.hpp"
#include "ot/exact/starting_duals.hpp"
#include "ot/exact/units.hpp"

namespace popflow::ot {

namespace {

// Number of candidate arcs of each row at the start.
constexpr std::size_t arcs_per_row = 16;
// Largest number of violated arcs that a pricing round adds for each row.
constexpr std::size_t arcs_added_per_row = 16;
// Largest number of units per row or column for which shortest paths are tried. With more units the mass of a
// row splits so often that single searches take longer than the network simplex.
constexpr std::int64_t max_path_units = 8;
// Shortest paths may scan half of all n m arcs and this many more.
constexpr std::size_t min_effort = 1U << 18U;

std::vector<std::int64_t> as_integers(std::span<const double> duals, const IntegerCost& integer) {
    std::vector<std::int64_t> result(duals.size());
    std::transform(duals.begin(), duals.end(), result.begin(),
                   [&](double v) { return integer.from_matrix_units(v); });
    return result;
}

std::vector<double> in_matrix_units(std::span<const std::int64_t> duals, const IntegerCost& integer) {
    std::vector<double> result(duals.size());
    std::transform(duals.begin(), duals.end(), result.begin(),
                   [&](std::int64_t v) { return integer.to_matrix_units(v); });
    return result;
}

// Result of a solver. Duals are in matrix units.
struct SolverResult {
    std::vector<Flow> plan;
    std::vector<double> f;
    std::vector<double> g;
    std::size_t rounds = 0;
    std::size_t arcs = 0;
};

// Alternates a solver on the candidate arcs with pricing of all arcs. Adds the arcs with negative reduced
// cost until there are none.
template <class Solver>
SolverResult solve_with_pricing(const Cost& cost, const IntegerCost& integer, Solver& solver, ArcList arcs,
                                std::size_t max_rounds) {
    for (std::size_t round = 1; round <= max_rounds; ++round) {
        core::check_cancelled();
        solver.solve(arcs);
        const std::vector<Arc> violated =
            violated_arcs(cost, integer, solver.f(), solver.g(), arcs_added_per_row);
        if (violated.empty()) {
            return {solver.plan(), in_matrix_units(solver.f(), integer), in_matrix_units(solver.g(), integer),
                    round, arcs.size()};
        }
        add_arcs(integer, cost.rows(), violated, arcs);
    }
    throw core::NumericalError(
        "ot.exact", "arcs with negative reduced cost remain after " + std::to_string(max_rounds) + " rounds");
}

ArcList candidate_arcs(const IntegerCost& integer, const Candidates& candidates, std::size_t n,
                       bool diagonal) {
    ArcList arcs;
    arcs.first.push_back(0);
    std::vector<Candidates::Entry> row;
    for (std::uint32_t i = 0; i < n; ++i) {
        row.assign(candidates.row(i).begin(), candidates.row(i).end());
        std::ranges::sort(row, {}, &Candidates::Entry::col);
        for (const Candidates::Entry& entry : row) {
            arcs.col.push_back(entry.col);
            arcs.cost.push_back(entry.cost);
        }
        arcs.first.push_back(arcs.col.size());
    }
    if (diagonal) {
        // With the diagonal the candidate arcs always contain a perfect matching.
        std::vector<Arc> pairs;
        for (std::uint32_t i = 0; i < n; ++i) pairs.push_back({i, i});
        add_arcs(integer, n, pairs, arcs);
    }
    return arcs;
}

SolverResult solve_on_line(const Cost& cost, const Units& units) {
    LineTransport line = line_transport(cost, units.supply, units.demand);
    return {std::move(line.plan), std::move(line.f), std::move(line.g), 0, cost.rows() + cost.cols() - 1};
}

// Chooses the solver:
// - Points with one marker: the monotone plan.
// - One unit per row and column: the assignment problem.
// - Few units per row and column: shortest augmenting paths. If they exceed their effort, the network simplex
//   continues from their duals.
// - Otherwise, or on request: the network simplex.
SolverResult solve(const Cost& cost, const Units& units, std::span<const double> a, std::span<const double> b,
                   const ExactOptions& options) {
    const bool automatic = options.method == ExactMethod::automatic;
    if (automatic && cost.is_on_line()) return solve_on_line(cost, units);

    core::check_cancelled();
    const IntegerCost integer(cost);
    const Potentials duals = starting_duals(cost, a, b, options.start);
    std::vector<std::int64_t> g = as_integers(duals.g, integer);
    Candidates candidates(cost, integer, g, arcs_per_row);
    if (automatic && units.is_assignment) {
        Assignment solver(std::move(g));
        return solve_with_pricing(cost, integer, solver,
                                  candidate_arcs(integer, candidates, cost.rows(), true), options.rounds);
    }

    PartialPlan plan(candidates, units.supply, units.demand, std::move(g));
    plan.make_tight();
    const std::size_t effort = min_effort + cost.rows() * cost.cols() / 2;
    const bool has_few_units =
        std::max(std::ranges::max(units.supply), std::ranges::max(units.demand)) <= max_path_units;
    if (automatic && has_few_units && ShortestPaths(plan).solve(effort)) {
        return {plan.flows(), in_matrix_units(plan.f, integer), in_matrix_units(plan.g, integer), 0,
                candidates.size()};
    }

    ArcList arcs = candidate_arcs(integer, candidates, cost.rows(), false);
    NetworkSimplex solver(integer, units.supply, units.demand, arcs, plan.f, plan.g);
    return solve_with_pricing(cost, integer, solver, std::move(arcs), options.rounds);
}

TransportPlan make_plan(const Cost& cost, const Units& units, SolverResult solved) {
    TransportPlan result;
    result.rounds = solved.rounds;
    result.arcs = solved.arcs;
    result.plan.reserve(solved.plan.size());
    double total = 0;
    for (const Flow& flow : solved.plan) {
        const double mass = static_cast<double>(flow.units) * units.mass;
        result.plan.push_back({flow.i, flow.j, mass});
        result.value += mass * cost.exact(flow.i, flow.j);
        total += mass;
    }
    result.value = result.value * cost.unit() + total * cost.offset();
    result.duals = {std::move(solved.f), std::move(solved.g)};
    for (double& f : result.duals.f) f = f * cost.unit() + cost.offset();
    for (double& g : result.duals.g) g *= cost.unit();
    return result;
}

}  // namespace

TransportPlan solve_exact(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const ExactOptions& options) {
    // Leaves room for the network simplex, which multiplies the units by n + 1.
    const int bits = 60 - std::ilogb(static_cast<double>(cost.rows() + 1));
    const Units units = make_units(cost.rows(), cost.cols(), a, b, bits);
    SolverResult solved = solve(cost, units, a, b, options);
    std::erase_if(solved.plan, [&](const Flow& flow) {
        return (!a.empty() && a[flow.i] == 0) || (!b.empty() && b[flow.j] == 0);
    });
    TransportPlan result = make_plan(cost, units, std::move(solved));
    const Certificate certificate = certify(cost, result);
    result.violation = certificate.violation;
    result.gap = certificate.gap;
    // Allows for the rounding of costs to integers and of duals, which are sums of many costs.
    const double allowed = (1e-11 * cost.largest() + 1e-30) * cost.unit() + 1e-14 * std::fabs(cost.offset());
    if (!(result.violation <= allowed)) {
        throw core::NumericalError("ot.exact",
                                   "the duals are not feasible, so they do not prove the plan optimal");
    }
    return result;
}

Potentials squared_cost_duals(const Potentials& duals, double typical) {
    Potentials result = duals;
    for (double& f : result.f) f = 2 * typical * f - typical * typical;
    for (double& g : result.g) g *= 2 * typical;
    return result;
}

}  // namespace popflow::ot
