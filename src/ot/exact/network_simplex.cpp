// SPDX-License-Identifier: MIT
#include "ot/exact/network_simplex.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/cancellation.hpp"
#include "core/error.hpp"

namespace popflow::ot {

namespace {

// Largest common offset of all duals, in integer costs. With the cost of a path added they fit 63 bits.
constexpr std::int64_t max_drift = std::int64_t{1} << 61;

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
      nodes_(supply.size() + demand.size()),
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
    build_tree(cost,
               initial_plan(arcs, f, g, std::move(perturbed_supply), std::move(perturbed_demand), start));
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
    plan.reserve(nodes_.size());
    const auto move = [&](std::uint32_t i, std::uint32_t j) {
        const std::int64_t units = std::min(supply[i], demand[j]);
        supply[i] -= units;
        demand[j] -= units;
        plan.push_back({i, j, units});
    };
    for (const std::uint32_t e : leaf_order(start, rows_, nodes_.size())) {
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

void NetworkSimplex::build_tree(const IntegerCost& cost, std::span<const Flow> plan) {
    // Each arc of the plan exhausted one node, so the arcs form a spanning tree. Its root is row 0.
    std::vector<std::size_t> first(nodes_.size() + 1, 0);
    for (const Flow& arc : plan) {
        ++first[arc.i + 1];
        ++first[rows_ + arc.j + 1];
    }
    for (std::size_t v = 0; v < nodes_.size(); ++v) first[v + 1] += first[v];
    std::vector<std::uint32_t> incident(2 * plan.size());
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t e = 0; e < plan.size(); ++e) {
        incident[next[plan[e].i]++] = e;
        incident[next[rows_ + plan[e].j]++] = e;
    }
    std::vector<std::uint32_t> reached{0};
    reached.reserve(nodes_.size());
    for (std::size_t l = 0; l < reached.size(); ++l) {
        const std::uint32_t v = reached[l];
        for (std::size_t k = first[v]; k < first[v + 1]; ++k) {
            const Flow& arc = plan[incident[k]];
            const std::uint32_t other = v < rows_ ? rows_ + arc.j : arc.i;
            if (other == nodes_[v].parent) continue;
            attach(other, v);
            Node& node = nodes_[other];
            const std::int64_t c = cost(arc.i, arc.j);
            node.flow = arc.units;
            node.potential = v < rows_ ? nodes_[v].potential - c : nodes_[v].potential + c;
            reached.push_back(other);
        }
    }
    for (std::size_t l = reached.size() - 1; l > 0; --l) {
        const Node& node = nodes_[reached[l]];
        nodes_[node.parent].size += node.size;
    }
}

void NetworkSimplex::solve(const ArcList& arcs) {
    // Every pivot lowers an integer cost, so the method terminates. Reaching this limit indicates a bug.
    const std::size_t limit = 1000 * (nodes_.size() + arcs.size());
    for (std::size_t pivots = 0;; ++pivots) {
        const EnteringArc entering = find_entering(arcs);
        if (entering.i == npos) break;
        core::check_cancelled();
        if (pivots == limit)
            throw core::NumericalError(
                "ot.exact", "the network simplex did not terminate in " + std::to_string(limit) + " pivots");
        pivot(entering);
    }
    store_duals();
}

NetworkSimplex::EnteringArc NetworkSimplex::find_entering(const ArcList& arcs) {
    // Block pricing: selects the most negative arc of a block, about sqrt(number of arcs) arcs of consecutive
    // rows. Continues with the next block if the block has no negative arc.
    const auto block = static_cast<std::size_t>(std::sqrt(static_cast<double>(arcs.size()))) + 16;
    EnteringArc best;
    std::size_t priced = 0;
    for (std::uint32_t count = 0; count < rows_; ++count) {
        const std::uint32_t i = next_row_;
        next_row_ = i + 1 == rows_ ? 0 : i + 1;
        const std::int64_t fi = nodes_[i].potential;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::int64_t slack = arcs.cost[e] - fi + nodes_[rows_ + arcs.col[e]].potential;
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

void NetworkSimplex::pivot(const EnteringArc& entering) {
    const std::uint32_t row = entering.i;
    const std::uint32_t col = rows_ + entering.j;
    // The entering arc closes a cycle through the apex, the lowest common ancestor of row and col. Flow falls
    // on the arcs from row and col to their parents and rises on the next arcs, alternating up to the apex.
    std::uint32_t leaving = npos;
    bool on_row_side = false;
    std::int64_t units = std::numeric_limits<std::int64_t>::max();
    std::uint32_t u = row;
    std::uint32_t v = col;
    while (u != v) {
        // A subtree that is not larger cannot contain the other node, so its root moves up.
        const bool up_row = nodes_[u].size <= nodes_[v].size;
        std::uint32_t& w = up_row ? u : v;
        if ((w < rows_) == up_row && nodes_[w].flow < units) {
            units = nodes_[w].flow;
            leaving = w;
            on_row_side = up_row;
        }
        w = nodes_[w].parent;
    }
    const std::uint32_t apex = u;
    for (u = row; u != apex; u = nodes_[u].parent) nodes_[u].flow += u < rows_ ? -units : units;
    for (v = col; v != apex; v = nodes_[v].parent) nodes_[v].flow += v < rows_ ? units : -units;
    // Attaches the subtree below the leaving arc to the entering arc, and makes that arc tight.
    const std::uint32_t moved_nodes = nodes_[leaving].size;
    for (u = nodes_[leaving].parent; u != apex; u = nodes_[u].parent) nodes_[u].size -= moved_nodes;
    const std::uint32_t top = on_row_side ? row : col;
    const std::uint32_t parent = on_row_side ? col : row;
    for (u = parent; u != apex; u = nodes_[u].parent) nodes_[u].size += moved_nodes;
    reroot(top, leaving, parent, units);
    shift_duals(top, on_row_side ? entering.slack : -entering.slack);
}

// Attaches the subtree of `top` to `parent` with `node` as its new root, by reversing the path from `node` to
// `top`. `flow` is the flow on the arc between `node` and `parent`.
void NetworkSimplex::reroot(std::uint32_t node, std::uint32_t top, std::uint32_t parent, std::int64_t flow) {
    const std::uint32_t all = nodes_[top].size;
    std::uint32_t below = 0;  // size of the old subtree of the previous node, which is now the parent
    for (;;) {
        const std::uint32_t old_parent = nodes_[node].parent;
        const std::int64_t old_flow = nodes_[node].flow;
        const std::uint32_t old_size = nodes_[node].size;
        detach(node);
        attach(node, parent);
        nodes_[node].flow = flow;
        nodes_[node].size = all - below;
        if (node == top) break;
        below = old_size;
        parent = node;
        node = old_parent;
        flow = old_flow;
    }
}

// Shifts the duals of a subtree relative to all others. Only differences of duals matter, so it changes the
// smaller of the two parts.
void NetworkSimplex::shift_duals(std::uint32_t top, std::int64_t by) {
    if (2 * static_cast<std::size_t>(nodes_[top].size) <= nodes_.size()) {
        shift_subtree(top, npos, by);
        return;
    }
    shift_subtree(0, top, -by);
    if (std::abs(nodes_[0].potential) > max_drift) shift_subtree(0, npos, -nodes_[0].potential);
}

// Adds `by` to the duals of the subtree of `top`, except for the subtree of `excluded` inside it.
void NetworkSimplex::shift_subtree(std::uint32_t top, std::uint32_t excluded, std::int64_t by) {
    std::uint32_t v = top;
    for (;;) {
        Node& node = nodes_[v];
        if (v != excluded) {
            node.potential += by;
            if (node.child != npos) {
                v = node.child;
                continue;
            }
        }
        while (v != top && nodes_[v].next == npos) v = nodes_[v].parent;
        if (v == top) break;
        v = nodes_[v].next;
    }
}

void NetworkSimplex::attach(std::uint32_t node, std::uint32_t parent) {
    Node& child = nodes_[node];
    child.parent = parent;
    child.previous = npos;
    child.next = nodes_[parent].child;
    if (child.next != npos) nodes_[child.next].previous = node;
    nodes_[parent].child = node;
}

void NetworkSimplex::detach(std::uint32_t node) {
    const Node& child = nodes_[node];
    if (child.previous != npos) {
        nodes_[child.previous].next = child.next;
    } else {
        nodes_[child.parent].child = child.next;
    }
    if (child.next != npos) nodes_[child.next].previous = child.previous;
}

void NetworkSimplex::store_duals() {
    shift_subtree(0, npos, -nodes_[0].potential);
    for (std::size_t i = 0; i < f_.size(); ++i) f_[i] = nodes_[i].potential;
    for (std::size_t j = 0; j < g_.size(); ++j) g_[j] = -nodes_[rows_ + j].potential;
}

std::vector<Flow> NetworkSimplex::plan() const {
    // Removes the perturbation from the flows. The perturbation of an arc lies between -n and n parts, where
    // a unit has n + 1 parts. It is the surplus of the subtree below the arc. Its sign depends on whether the
    // last column, which took all extra parts, is in the subtree.
    const auto scale = static_cast<std::int64_t>(rows_) + 1;
    std::vector<std::int64_t> surplus(nodes_.size(), 0);
    std::vector<std::uint32_t> order{0};
    order.reserve(nodes_.size());
    for (std::size_t l = 0; l < order.size(); ++l) {
        for (std::uint32_t v = nodes_[order[l]].child; v != npos; v = nodes_[v].next) order.push_back(v);
    }
    const auto last = static_cast<std::uint32_t>(nodes_.size() - 1);
    std::vector<Flow> flows;
    for (std::size_t l = order.size() - 1; l > 0; --l) {
        const std::uint32_t v = order[l];
        const Node& node = nodes_[v];
        // Computes the surplus of the subtree in parts: 1 for each row, -n for the last column.
        surplus[v] += v < rows_ ? 1 : 0;
        surplus[v] -= v == last ? scale - 1 : 0;
        surplus[node.parent] += surplus[v];
        const std::int64_t parts = v < rows_ ? surplus[v] : -surplus[v];
        const std::int64_t units = (node.flow - parts) / scale;
        if (units == 0) continue;
        if (v < rows_) {
            flows.push_back({v, node.parent - rows_, units});
        } else {
            flows.push_back({node.parent, v - rows_, units});
        }
    }
    std::sort(flows.begin(), flows.end(),
              [](const Flow& a, const Flow& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    return flows;
}

}  // namespace popflow::ot
