// SPDX-License-Identifier: MIT
#include "ot/exact.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "ot/arcs.hpp"
#include "ot/assignment.hpp"
#include "ot/network_simplex.hpp"
#include "ot/starting_duals.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t arcs_per_row = 16;
constexpr std::size_t arcs_added_per_row = 16;

// Supplies and demands as integers with the same sum.
struct Units {
    std::vector<std::int64_t> supply;
    std::vector<std::int64_t> demand;
    double mass = 0;             // of one unit
    bool is_assignment = false;  // one unit per row and column
};

double checked_total(std::span<const double> weights, std::size_t count, const char* name) {
    core::check_shape(std::string("ot.exact.") + name, weights.size(), 1, count, 1);
    double total = 0;
    for (double w : weights) {
        if (!std::isfinite(w) || w < 0) {
            throw core::NumericalError("ot.exact",
                                       std::string(name) + " has a weight that is negative or not finite");
        }
        total += w;
    }
    if (!(total > 0) || !std::isfinite(total)) {
        throw core::NumericalError("ot.exact", std::string(name) + " has no mass, or too much");
    }
    return total;
}

// Weights in units of 2^-bits of the total; none is zero: every column has its place in the simplex's tree.
std::vector<std::int64_t> quantised(std::span<const double> weights, double total, int bits) {
    std::vector<std::int64_t> units(weights.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
        units[i] = std::max<std::int64_t>(std::llround(std::ldexp(weights[i] / total, bits)), 1);
        sum += units[i];
    }
    // The heaviest takes what rounding left over.
    *std::max_element(units.begin(), units.end()) += (std::int64_t{1} << bits) - sum;
    return units;
}

Units make_units(std::size_t n, std::size_t m, std::span<const double> a, std::span<const double> b) {
    if (a.empty() && b.empty()) {
        const std::size_t common = std::gcd(n, m);
        return {std::vector<std::int64_t>(n, static_cast<std::int64_t>(m / common)),
                std::vector<std::int64_t>(m, static_cast<std::int64_t>(n / common)),
                static_cast<double>(common) / (static_cast<double>(n) * static_cast<double>(m)), n == m};
    }
    const std::vector<double> uniform_a(a.empty() ? n : 0, 1.0 / static_cast<double>(n));
    const std::vector<double> uniform_b(b.empty() ? m : 0, 1.0 / static_cast<double>(m));
    if (a.empty()) a = uniform_a;
    if (b.empty()) b = uniform_b;
    const double total_a = checked_total(a, n, "a");
    const double total_b = checked_total(b, m, "b");
    if (!(std::fabs(total_a - total_b) <= 1e-6 * total_a)) {
        throw core::NumericalError(
            "ot.exact", "the weights do not have the same total: " + std::to_string(total_a) + " and " +
                            std::to_string(total_b));
    }
    // The simplex multiplies the units by n + 1.
    const int bits = 60 - std::ilogb(static_cast<double>(n + 1));
    return {quantised(a, total_a, bits), quantised(b, total_b, bits), std::ldexp(total_a, -bits), false};
}

// An assignment among the arcs: whatever else is chosen, there is one.
void add_diagonal(std::size_t n, std::vector<Arc>& arcs) {
    for (std::uint32_t i = 0; i < n; ++i) arcs.push_back({i, i});
}

// Column generation: arcs that break the duals are added until there are none. Returns the rounds it took.
std::size_t add_until_optimal(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> f,
                              std::span<const std::int64_t> g, std::size_t limit, ArcList& arcs,
                              const std::function<void(const ArcList&)>& solve) {
    for (std::size_t round = 1; round <= limit; ++round) {
        solve(arcs);
        std::vector<Arc> more = violated_arcs(cost, integer, f, g, arcs_added_per_row);
        if (more.empty()) return round;
        add_arcs(integer, cost.rows(), more, arcs);
    }
    throw core::NumericalError("ot.exact",
                               "arcs still break the duals after " + std::to_string(limit) + " rounds");
}

std::vector<std::int64_t> as_integers(std::span<const double> duals, const IntegerCost& integer) {
    std::vector<std::int64_t> result(duals.size());
    std::transform(duals.begin(), duals.end(), result.begin(),
                   [&](double v) { return integer.from_matrix_units(v); });
    return result;
}

// What a solver on sparse arcs ended with.
struct Solved {
    std::vector<Flow> plan;
    std::span<const std::int64_t> f;
    std::span<const std::int64_t> g;
};

Transport result_of(const Cost& cost, const IntegerCost& integer, const Units& units, const Solved& solved) {
    Transport result;
    double total = 0;
    // No arc breaks the duals in integers; half a unit of rounding is what it may do in double.
    if (cost.largest() > 0) result.violation = integer.to_matrix_units(1) / 2;
    for (const Flow& flow : solved.plan) {
        const double mass = static_cast<double>(flow.units) * units.mass;
        result.plan.push_back({flow.i, flow.j, mass});
        const double c = cost.exact(flow.i, flow.j);
        result.value += mass * c;
        total += mass;
        const double dual = integer.to_matrix_units(solved.f[flow.i] + solved.g[flow.j]);
        result.violation = std::max(result.violation, dual - c);
    }
    double dual_value = 0;
    for (std::size_t i = 0; i < cost.rows(); ++i) {
        const double f = integer.to_matrix_units(solved.f[i]);
        dual_value += f * static_cast<double>(units.supply[i]) * units.mass;
        result.duals.f.push_back(f * cost.unit() + cost.offset());
    }
    for (std::size_t j = 0; j < cost.cols(); ++j) {
        const double g = integer.to_matrix_units(solved.g[j]);
        dual_value += g * static_cast<double>(units.demand[j]) * units.mass;
        result.duals.g.push_back(g * cost.unit());
    }
    result.gap = std::fabs(result.value - dual_value) * cost.unit();
    result.value = result.value * cost.unit() + total * cost.offset();
    result.violation *= cost.unit();
    return result;
}

}  // namespace

Transport exact(const Cost& cost, std::span<const double> a, std::span<const double> b,
                const ExactOptions& options) {
    const Units units = make_units(cost.rows(), cost.cols(), a, b);
    const Potentials duals = starting_duals(cost, a, b, options.start);
    const IntegerCost integer(cost);
    ArcList arcs;
    {
        std::vector<Arc> first =
            nearest_arcs(cost, std::vector<float>(duals.g.begin(), duals.g.end()), arcs_per_row);
        if (units.is_assignment) add_diagonal(cost.rows(), first);
        add_arcs(integer, cost.rows(), first, arcs);
    }
    std::vector<std::int64_t> g = as_integers(duals.g, integer);
    const auto solve_with = [&](auto& solver) {
        const std::size_t rounds = add_until_optimal(cost, integer, solver.f(), solver.g(), options.rounds,
                                                     arcs, [&](const ArcList& now) { solver.solve(now); });
        std::vector<Flow> plan = solver.plan();
        std::erase_if(plan, [&](const Flow& flow) {
            return (!a.empty() && a[flow.i] == 0) || (!b.empty() && b[flow.j] == 0);
        });
        Transport result = result_of(cost, integer, units, {std::move(plan), solver.f(), solver.g()});
        result.rounds = rounds;
        result.arcs = arcs.size();
        return result;
    };
    if (units.is_assignment) {
        Assignment solver(std::move(g));
        return solve_with(solver);
    }
    NetworkSimplex solver(integer, units.supply, units.demand, arcs, as_integers(duals.f, integer), g);
    return solve_with(solver);
}

Potentials duals_of_squares(const Potentials& duals, double typical) {
    Potentials result = duals;
    for (double& f : result.f) f = 2 * typical * f - typical * typical;
    for (double& g : result.g) g *= 2 * typical;
    return result;
}

}  // namespace popflow::ot
