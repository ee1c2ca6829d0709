// SPDX-License-Identifier: MIT
#include "ot/exact.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "ot/arcs.hpp"
#include "ot/augmenting_paths.hpp"

namespace popflow::ot {

namespace {

constexpr std::size_t arcs_per_row = 16;
constexpr std::size_t arcs_per_column = 16;
constexpr std::size_t arcs_added_per_row = 16;
constexpr int weight_bits = 52;

// Supplies and demands as integers with the same sum.
struct Units {
    std::vector<std::int64_t> supply;
    std::vector<std::int64_t> demand;
    double mass = 0;  // of one unit
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

std::vector<std::int64_t> quantised(std::span<const double> weights, double total) {
    const auto whole = std::int64_t{1} << weight_bits;
    std::vector<std::int64_t> units(weights.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
        units[i] = std::llround(std::ldexp(weights[i] / total, weight_bits));
        sum += units[i];
    }
    // The heaviest takes what rounding left over: at most half a unit for each of the others.
    *std::max_element(units.begin(), units.end()) += whole - sum;
    return units;
}

Units make_units(std::size_t n, std::size_t m, std::span<const double> a, std::span<const double> b) {
    if (a.empty() && b.empty()) {
        const std::size_t common = std::gcd(n, m);
        return {std::vector<std::int64_t>(n, static_cast<std::int64_t>(m / common)),
                std::vector<std::int64_t>(m, static_cast<std::int64_t>(n / common)),
                static_cast<double>(common) / (static_cast<double>(n) * static_cast<double>(m))};
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
    return {quantised(a, total_a), quantised(b, total_b), std::ldexp(total_a, -weight_bits)};
}

// Arcs of the north-west corner plan: whatever else is chosen, the supply can be carried.
void add_feasible_plan(const Units& units, std::vector<Arc>& arcs) {
    std::size_t j = 0;
    std::int64_t room = units.demand[0];
    for (std::size_t i = 0; i < units.supply.size(); ++i) {
        for (std::int64_t left = units.supply[i]; left > 0;) {
            if (room == 0) {
                room = units.demand[++j];
                continue;
            }
            const std::int64_t moved = std::min(left, room);
            arcs.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
            left -= moved;
            room -= moved;
        }
    }
}

Potentials entropic_duals(const Cost& cost, std::span<const double> a, std::span<const double> b,
                          const Potentials* start) {
    SinkhornOptions options;
    options.epsilon = 0.02;
    options.sweeps = start == nullptr ? 40 : 10;
    return sinkhorn(cost, a, b, options, start).potentials;
}

std::vector<float> in_matrix_units(std::span<const double> duals, double offset, double unit) {
    std::vector<float> result(duals.size());
    std::transform(duals.begin(), duals.end(), result.begin(),
                   [&](double v) { return static_cast<float>((v - offset) / unit); });
    return result;
}

Transport result_of(const Cost& cost, const IntegerCost& integer, const AugmentingPaths& paths,
                    const Units& units) {
    Transport result;
    double total = 0;
    for (std::int64_t s : units.supply) total += static_cast<double>(s) * units.mass;
    for (const auto& flow : paths.plan()) {
        const double mass = static_cast<double>(flow.units) * units.mass;
        result.plan.push_back({flow.i, flow.j, mass});
        const double c = cost.exact(flow.i, flow.j);
        result.value += mass * c;
        // Rounding the costs to integers is all that the duals may break; it shows most on the plan, where
        // they touch.
        const double dual = integer.to_matrix_units(paths.f()[flow.i] + paths.g()[flow.j]);
        result.violation = std::max(result.violation, dual - c);
    }
    double dual_value = 0;
    for (std::size_t i = 0; i < cost.rows(); ++i) {
        const double f = integer.to_matrix_units(paths.f()[i]);
        dual_value += f * static_cast<double>(units.supply[i]) * units.mass;
        result.duals.f.push_back(f * cost.unit() + cost.offset());
    }
    for (std::size_t j = 0; j < cost.cols(); ++j) {
        const double g = integer.to_matrix_units(paths.g()[j]);
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
    const std::size_t n = cost.rows();
    const Units units = make_units(n, cost.cols(), a, b);
    const Potentials duals = entropic_duals(cost, a, b, options.start);
    const std::vector<float> f = in_matrix_units(duals.f, cost.offset(), cost.unit());
    const std::vector<float> g = in_matrix_units(duals.g, 0, cost.unit());

    const IntegerCost integer(cost);
    std::vector<Arc> more = nearest_arcs(cost, f, g, arcs_per_row, arcs_per_column);
    add_feasible_plan(units, more);
    std::vector<std::int64_t> integer_g(g.size());
    std::transform(g.begin(), g.end(), integer_g.begin(),
                   [&](float v) { return integer.from_matrix_units(v); });
    AugmentingPaths paths(units.supply, units.demand, std::move(integer_g));
    ArcList arcs;
    std::size_t rounds = 0;
    while (!more.empty()) {
        if (++rounds > options.rounds) {
            throw core::NumericalError(
                "ot.exact", "arcs still break the duals after " + std::to_string(options.rounds) + " rounds");
        }
        add_arcs(integer, n, std::move(more), arcs);
        paths.solve(arcs);
        more = violated_arcs(cost, integer, paths.f(), paths.g(), arcs_added_per_row);
    }
    Transport result = result_of(cost, integer, paths, units);
    result.rounds = rounds;
    result.arcs = arcs.size();
    return result;
}

Potentials duals_of_squares(const Potentials& duals, double typical) {
    Potentials result = duals;
    for (double& f : result.f) f = 2 * typical * f - typical * typical;
    for (double& g : result.g) g *= 2 * typical;
    return result;
}

}  // namespace popflow::ot
