// SPDX-License-Identifier: MIT
#include "ot/exact.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "ot/certificate.hpp"
#include "ot/exact/arcs.hpp"
#include "ot/exact/assignment.hpp"
#include "ot/exact/candidates.hpp"
#include "ot/exact/line.hpp"
#include "ot/exact/network_simplex.hpp"
#include "ot/exact/primal_dual.hpp"
#include "ot/exact/refined_duals.hpp"
#include "ot/exact/starting_duals.hpp"
#include "ot/exact/units.hpp"

namespace popflow::ot {

namespace {

// Number of candidate arcs of each row at the start.
constexpr std::size_t arcs_per_row = 16;
// Largest number of violated arcs that a pricing round adds for each row.
constexpr std::size_t arcs_added_per_row = 16;
// Largest number of units per row or column for which the duals are not refined. The tight arcs of the
// starting duals then carry almost all mass.
constexpr std::int64_t max_unrefined_units = 8;

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

SolverResult solve_on_line(const Cost& cost, const Units& units) {
    LineTransport line = line_transport(cost, units.supply, units.demand);
    return {std::move(line.plan), std::move(line.f), std::move(line.g), 0, cost.rows() + cost.cols() - 1};
}

// Solver of problems that are no assignment: the primal-dual method, continued by the network simplex if its
// phases get slow.
class TransportSolver {
  public:
    TransportSolver(const IntegerCost& integer, const Units& units, std::vector<std::int64_t> g)
        : integer_(integer), units_(units), phases_(units.supply, units.demand, std::move(g)) {}
    void solve(const ArcList& arcs) {
        if (simplex_) {
            simplex_->solve(arcs);
        } else if (!phases_.solve(arcs)) {
            simplex_.emplace(integer_, units_.supply, units_.demand, arcs, phases_.f(), phases_.g(),
                             phases_.plan());
            simplex_->solve(arcs);
        }
    }
    std::span<const std::int64_t> f() const { return simplex_ ? simplex_->f() : phases_.f(); }
    std::span<const std::int64_t> g() const { return simplex_ ? simplex_->g() : phases_.g(); }
    std::vector<Flow> plan() const { return simplex_ ? simplex_->plan() : phases_.plan(); }

  private:
    const IntegerCost& integer_;
    const Units& units_;
    PrimalDual phases_;
    std::optional<NetworkSimplex> simplex_;
};

// Chooses the solver:
// - Points with one marker: the monotone plan.
// - One unit per row and column: the assignment problem.
// - On request: the network simplex.
// - Otherwise: TransportSolver.
SolverResult solve(const Cost& cost, const Units& units, std::span<const double> a, std::span<const double> b,
                   const ExactOptions& options) {
    const bool automatic = options.method == ExactMethod::automatic;
    if (automatic && cost.is_on_line()) return solve_on_line(cost, units);

    core::check_cancelled();
    const IntegerCost integer(cost);
    std::vector<std::int64_t> g = as_integers(starting_duals(cost, a, b, options.start).g, integer);
    ArcList arcs = candidate_arcs(cost, integer, g, arcs_per_row);
    add_arcs(integer, cost.rows(), feasible_arcs(units.supply, units.demand), arcs);
    const auto priced = [&](auto&& solver) {
        return solve_with_pricing(cost, integer, solver, std::move(arcs), options.rounds);
    };
    if (automatic && units.is_assignment) return priced(Assignment(std::move(g)));
    if (std::max(std::ranges::max(units.supply), std::ranges::max(units.demand)) > max_unrefined_units)
        g = refined_duals(arcs, units.supply, units.demand, g);
    if (automatic) return priced(TransportSolver(integer, units, std::move(g)));
    return priced(NetworkSimplex(integer, units.supply, units.demand, arcs, row_duals(arcs, g), g, {}));
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
