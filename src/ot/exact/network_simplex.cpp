// SPDX-License-Identifier: MIT
#include "ot/exact/network_simplex.hpp"

#include <algorithm>
#include <cmath>

#include "core/cancellation.hpp"
#include "core/error.hpp"

namespace popflow::ot {

namespace {

// Returns the arcs of a plan in an order in which each is the only remaining arc of its row or column. If
// all mass of this node moves along it, the arcs reproduce the plan. Arcs on cycles are left out.
std::vector<std::uint32_t> leaf_order(std::span<const Flow> plan, std::uint32_t rows, std::size_t nodes) {
    // The exclusive or of the remaining arcs of a node is the last one, if there is one left.
    std::vector<std::uint32_t> remaining(nodes, 0);
    std::vector<std::uint32_t> last(nodes, 0);
    const auto change = [&](std::uint32_t node, std::uint32_t arc, std::uint32_t by) {
        remaining[node] += by;
        last[node] ^= arc;
    };
    for (std::uint32_t e = 0; e < plan.size(); ++e) {
        change(plan[e].i, e, 1);
        change(rows + plan[e].j, e, 1);
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t start = 0; start < nodes; ++start) {
        for (std::uint32_t node = start; remaining[node] == 1;) {
            const std::uint32_t e = last[node];
            const std::uint32_t other = node < rows ? rows + plan[e].j : plan[e].i;
            order.push_back(e);
            change(node, e, std::uint32_t(-1));
            change(other, e, std::uint32_t(-1));
            node = other;
        }
    }
    return order;
}

}  // namespace

NetworkSimplex::NetworkSimplex(const IntegerCost& cost, std::span<const std::int64_t> supply,
                               std::span<const std::int64_t> demand, const ArcList& arcs,
                               std::span<const std::int64_t> f, std::span<const std::int64_t> g,
                               std::span<const Flow> start)
    : rows_(static_cast<std::uint32_t>(supply.size())),
      cols_(static_cast<std::uint32_t>(demand.size())),
      f_(supply.size()),
      g_(demand.size()) {
    // Perturbs the supplies against degeneracy. Each unit is divided into n + 1 parts. Each row gets one more
    // part, and the last column takes these n parts, less than one unit. No proper subset of the rows then
    // has exactly the supply that a subset of the columns needs, so every tree arc has positive flow.
    const auto scale = static_cast<std::int64_t>(supply.size()) + 1;
    std::vector<std::int64_t> perturbed_supply(supply.begin(), supply.end());
    std::vector<std::int64_t> perturbed_demand(demand.begin(), demand.end());
    for (std::int64_t& s : perturbed_supply) s = s * scale + 1;
    for (std::int64_t& d : perturbed_demand) d *= scale;
    perturbed_demand.back() += scale - 1;
    build_tree(initial_plan(arcs, f, g, std::move(perturbed_supply), std::move(perturbed_demand), start));
    tree_.set_potentials(cost);
    store_duals();
}

std::vector<Flow> NetworkSimplex::initial_plan(const ArcList& arcs, std::span<const std::int64_t> f,
                                               std::span<const std::int64_t> g,
                                               std::vector<std::int64_t> supply,
                                               std::vector<std::int64_t> demand,
                                               std::span<const Flow> start) const {
    struct Candidate {
        std::int64_t slack;
        std::uint32_t i;
        std::uint32_t j;
    };
    std::vector<Candidate> order;
    order.reserve(arcs.size());
    for (std::uint32_t i = 0; i < rows_; ++i) {
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            order.push_back({arcs.cost[e] - f[i] - g[arcs.col[e]], i, arcs.col[e]});
        }
    }
    std::sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
        return a.slack != b.slack ? a.slack < b.slack : (a.i != b.i ? a.i < b.i : a.j < b.j);
    });
    std::vector<Flow> plan;
    plan.reserve(rows_ + cols_);
    const auto move = [&](std::uint32_t i, std::uint32_t j) {
        const std::int64_t units = std::min(supply[i], demand[j]);
        supply[i] -= units;
        demand[j] -= units;
        plan.push_back({i, j, units});
    };
    for (const std::uint32_t e : leaf_order(start, rows_, rows_ + cols_)) {
        if (supply[start[e].i] > 0 && demand[start[e].j] > 0) move(start[e].i, start[e].j);
    }
    for (const Candidate& candidate : order) {
        if (supply[candidate.i] > 0 && demand[candidate.j] > 0) move(candidate.i, candidate.j);
    }
    // Moves the remaining mass by the north-west corner rule.
    std::uint32_t j = 0;
    for (std::uint32_t i = 0; i < rows_; ++i) {
        while (supply[i] > 0) {
            while (demand[j] == 0) ++j;
            move(i, j);
        }
    }
    return plan;
}

void NetworkSimplex::build_tree(std::span<const Flow> plan) {
    // Each arc of the plan exhausted one node, so the arcs form a spanning tree. Its root is row 0.
    tree_.reset(rows_, cols_);
    const std::size_t nodes = rows_ + cols_;
    std::vector<std::size_t> first(nodes + 1, 0);
    for (const Flow& arc : plan) {
        ++first[tree_.row_node(arc.i) + 1];
        ++first[arc.j + 1];
    }
    for (std::size_t v = 0; v < nodes; ++v) first[v + 1] += first[v];
    std::vector<std::uint32_t> incident(2 * plan.size());
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t e = 0; e < plan.size(); ++e) {
        incident[next[tree_.row_node(plan[e].i)]++] = e;
        incident[next[plan[e].j]++] = e;
    }
    struct Reached {
        std::uint32_t node;
        std::uint32_t parent;
        std::int64_t flow;
    };
    std::vector<Reached> reached{{tree_.row_node(0), npos, 0}};
    reached.reserve(nodes);
    for (std::size_t l = 0; l < reached.size(); ++l) {
        const auto [v, parent, flow] = reached[l];
        for (std::size_t k = first[v]; k < first[v + 1]; ++k) {
            const Flow& arc = plan[incident[k]];
            const std::uint32_t other = tree_.is_row(v) ? arc.j : tree_.row_node(arc.i);
            if (other != parent) reached.push_back({other, v, arc.units});
        }
    }
    for (std::size_t l = reached.size() - 1; l > 0; --l)
        tree_.attach(reached[l].node, reached[l].parent, reached[l].flow);
    tree_.finish(tree_.row_node(0));
}

void NetworkSimplex::solve(const ArcList& arcs) {
    // Every pivot lowers an integer cost, so the method terminates. Reaching this limit indicates a bug.
    const std::size_t limit = 1000 * (rows_ + cols_ + arcs.size());
    for (std::size_t pivots = 0;; ++pivots) {
        const EnteringArc entering = find_entering(arcs);
        if (entering.i == npos) break;
        core::check_cancelled();
        if (pivots == limit)
            throw core::NumericalError(
                "ot.exact", "the network simplex did not terminate in " + std::to_string(limit) + " pivots");
        tree_.pivot(entering.i, entering.j, entering.slack);
    }
    store_duals();
}

NetworkSimplex::EnteringArc NetworkSimplex::find_entering(const ArcList& arcs) {
    // Block pricing: selects the most negative arc of a block, about sqrt(number of arcs) arcs of consecutive
    // rows. Continues with the next block if the block has no negative arc.
    const auto block = static_cast<std::size_t>(std::sqrt(static_cast<double>(arcs.size()))) + 16;
    const std::uint64_t* col_potentials = tree_.col_potentials();
    EnteringArc best;
    std::size_t priced = 0;
    for (std::uint32_t count = 0; count < rows_; ++count) {
        const std::uint32_t i = next_row_;
        next_row_ = i + 1 == rows_ ? 0 : i + 1;
        const std::uint64_t fi = tree_.row_potential(i);
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const auto slack = static_cast<std::int64_t>(static_cast<std::uint64_t>(arcs.cost[e]) - fi +
                                                         col_potentials[arcs.col[e]]);
            if (slack < best.slack) best = {slack, i, arcs.col[e]};
        }
        priced += arcs.first[i + 1] - arcs.first[i];
        if (priced >= block) {
            if (best.i != npos) break;
            priced = 0;
        }
    }
    return best;
}

void NetworkSimplex::store_duals() {
    const std::uint64_t base = tree_.row_potential(0);
    for (std::size_t i = 0; i < f_.size(); ++i)
        f_[i] = static_cast<std::int64_t>(tree_.row_potential(i) - base);
    for (std::size_t j = 0; j < g_.size(); ++j)
        g_[j] = static_cast<std::int64_t>(base - tree_.col_potentials()[j]);
}

std::vector<Flow> NetworkSimplex::plan() const {
    // Removes the perturbation from the flows. The perturbation of an arc lies between -n and n parts, where
    // a unit has n + 1 parts. It is the surplus of the subtree below the arc. Its sign depends on whether the
    // last column, which took all extra parts, is in the subtree.
    const auto scale = static_cast<std::int64_t>(rows_) + 1;
    std::vector<std::int64_t> surplus(rows_ + cols_, 0);  // in parts: 1 for each row, -n for the last column
    std::vector<Flow> flows;
    tree_.visit_upwards([&](std::uint32_t node, std::uint32_t parent, std::int64_t flow) {
        const bool is_row = tree_.is_row(node);
        surplus[node] += is_row ? 1 : 0;
        surplus[node] -= node + 1 == cols_ ? scale - 1 : 0;
        surplus[parent] += surplus[node];
        const std::int64_t units = (flow - (is_row ? surplus[node] : -surplus[node])) / scale;
        if (units == 0) return;
        flows.push_back({tree_.row_of(is_row ? node : parent), is_row ? parent : node, units});
    });
    std::sort(flows.begin(), flows.end(),
              [](const Flow& a, const Flow& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    return flows;
}

}  // namespace popflow::ot
