// SPDX-License-Identifier: MIT
#include "ot/exact/network_simplex.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.hpp"

namespace popflow::ot {

namespace {

// All duals together may move so far, in integer costs; with a path of arcs on top they fit 63 bits.
constexpr std::int64_t largest_drift = std::int64_t{1} << 61;

}  // namespace

NetworkSimplex::NetworkSimplex(const IntegerCost& cost, std::span<const std::int64_t> supply,
                               std::span<const std::int64_t> demand, const ArcList& arcs,
                               std::span<const std::int64_t> f, std::span<const std::int64_t> g)
    : rows_(static_cast<std::uint32_t>(supply.size())),
      nodes_(supply.size() + demand.size()),
      f_(supply.size()),
      g_(demand.size()) {
    // One more unit per row on a scale where the sum of these is less than one: no part of the rows ever has
    // the supply that a part of the columns needs, and so no tree arc is empty.
    const auto scale = static_cast<std::int64_t>(supply.size()) + 1;
    std::vector<std::int64_t> more_supply(supply.begin(), supply.end());
    std::vector<std::int64_t> more_demand(demand.begin(), demand.end());
    for (std::int64_t& s : more_supply) s = s * scale + 1;
    for (std::int64_t& d : more_demand) d *= scale;
    more_demand.back() += scale - 1;
    build_tree(cost, first_plan(arcs, f, g, std::move(more_supply), std::move(more_demand)));
    store_duals();
}

std::vector<Flow> NetworkSimplex::first_plan(const ArcList& arcs, std::span<const std::int64_t> f,
                                             std::span<const std::int64_t> g,
                                             std::vector<std::int64_t> supply,
                                             std::vector<std::int64_t> demand) const {
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
    for (const Candidate& candidate : order) {
        if (supply[candidate.i] > 0 && demand[candidate.j] > 0) move(candidate.i, candidate.j);
    }
    // The north-west corner plan of what is left.
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
    // Each arc of the plan closed one node for good, so the arcs are a spanning tree; hang it from row 0.
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
    // Every pivot lowers an integer cost, so the end is certain; this many mean that something is broken.
    const std::size_t limit = 1000 * (nodes_.size() + arcs.size());
    for (std::size_t pivots = 0;; ++pivots) {
        const Entering entering = find_entering(arcs);
        if (entering.i == npos) break;
        if (pivots == limit)
            throw core::NumericalError("ot.exact", "the network simplex does not come to an end");
        pivot(entering);
    }
    store_duals();
}

NetworkSimplex::Entering NetworkSimplex::find_entering(const ArcList& arcs) {
    // The most negative of a block of arcs, about as many as the root of their number: rows in turn.
    const auto block = static_cast<std::size_t>(std::sqrt(static_cast<double>(arcs.size()))) + 16;
    Entering best;
    std::size_t looked_at = 0;
    for (std::uint32_t count = 0; count < rows_; ++count) {
        const std::uint32_t i = next_row_;
        next_row_ = i + 1 == rows_ ? 0 : i + 1;
        const std::int64_t fi = nodes_[i].potential;
        for (std::size_t e = arcs.first[i]; e < arcs.first[i + 1]; ++e) {
            const std::int64_t slack = arcs.cost[e] - fi + nodes_[rows_ + arcs.col[e]].potential;
            if (slack < best.slack) best = {slack, i, arcs.col[e]};
        }
        looked_at += arcs.first[i + 1] - arcs.first[i];
        if (looked_at >= block) {
            if (best.i != npos) break;
            looked_at = 0;
        }
    }
    return best;
}

void NetworkSimplex::pivot(const Entering& entering) {
    const std::uint32_t row = entering.i;
    const std::uint32_t col = rows_ + entering.j;
    // More from row to col means less on the row's own arc to its parent and on the arc into col from its
    // parent, more on the next arc up, and so on to where the two ways meet.
    std::uint32_t leaving = npos;
    bool on_row_side = false;
    std::int64_t units = std::numeric_limits<std::int64_t>::max();
    std::uint32_t u = row;
    std::uint32_t v = col;
    while (u != v) {
        // The smaller subtree does not hold the other node.
        const bool up_row = nodes_[u].size <= nodes_[v].size;
        std::uint32_t& w = up_row ? u : v;
        if ((w < rows_) == up_row && nodes_[w].flow < units) {
            units = nodes_[w].flow;
            leaving = w;
            on_row_side = up_row;
        }
        w = nodes_[w].parent;
    }
    const std::uint32_t meet = u;
    for (u = row; u != meet; u = nodes_[u].parent) nodes_[u].flow += u < rows_ ? -units : units;
    for (v = col; v != meet; v = nodes_[v].parent) nodes_[v].flow += v < rows_ ? units : -units;
    // The tree below the leaving arc now hangs from the entering one; its duals move so that this is tight.
    const std::uint32_t moved = nodes_[leaving].size;
    for (u = nodes_[leaving].parent; u != meet; u = nodes_[u].parent) nodes_[u].size -= moved;
    const std::uint32_t top = on_row_side ? row : col;
    const std::uint32_t parent = on_row_side ? col : row;
    for (u = parent; u != meet; u = nodes_[u].parent) nodes_[u].size += moved;
    rehang(top, leaving, parent, units);
    shift(top, on_row_side ? entering.slack : -entering.slack);
}

void NetworkSimplex::rehang(std::uint32_t node, std::uint32_t top, std::uint32_t parent, std::int64_t flow) {
    const std::uint32_t all = nodes_[top].size;
    std::uint32_t below = 0;  // what hangs from the node before, now its parent
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

// Only differences count: either the subtree moves or all the rest, whichever is smaller.
void NetworkSimplex::shift(std::uint32_t top, std::int64_t by) {
    if (2 * static_cast<std::size_t>(nodes_[top].size) <= nodes_.size()) {
        shift_below(top, npos, by);
        return;
    }
    shift_below(0, top, -by);
    if (std::abs(nodes_[0].potential) > largest_drift) shift_below(0, npos, -nodes_[0].potential);
}

// Moves the duals of a subtree, but for those of another within it.
void NetworkSimplex::shift_below(std::uint32_t top, std::uint32_t without, std::int64_t by) {
    std::uint32_t v = top;
    for (;;) {
        Node& node = nodes_[v];
        if (v != without) {
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
    shift_below(0, npos, -nodes_[0].potential);
    for (std::size_t i = 0; i < f_.size(); ++i) f_[i] = nodes_[i].potential;
    for (std::size_t j = 0; j < g_.size(); ++j) g_[j] = -nodes_[rows_ + j].potential;
}

std::vector<Flow> NetworkSimplex::plan() const {
    // Flows are those of the perturbed problem; the units of the true one are what is left after rounding,
    // because the perturbation of any arc lies between -n and n of the n + 1 parts of a unit. Which way it
    // goes is the arc's side of the last column, which took it all.
    const auto scale = static_cast<std::int64_t>(rows_) + 1;
    std::vector<std::int64_t> rows_below(nodes_.size(), 0);
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
        // Surplus of the subtree, in parts: one for each row, -n for the last column.
        rows_below[v] += v < rows_ ? 1 : 0;
        rows_below[v] -= v == last ? scale - 1 : 0;
        rows_below[node.parent] += rows_below[v];
        const std::int64_t parts = v < rows_ ? rows_below[v] : -rows_below[v];
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
