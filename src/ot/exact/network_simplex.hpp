// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"

namespace popflow::ot {

/// Exact transport on a sparse set of arcs by the network simplex method, in integers.
///
/// The basis is a spanning tree of rows and columns whose arcs alone carry mass; the duals are those for
/// which every tree arc is tight. A pivot brings in an arc with c_ij < f_i + g_j and drops the arc of its
/// cycle that empties first. Supplies are perturbed so that no tree arc is ever empty: each pivot lowers
/// the cost, and the method ends. Arcs may be added at any time; the tree stays feasible and the search
/// goes on.
///
/// Source: Ahuja, Magnanti and Orlin, "Network flows", 1993, chapter 11; the perturbation: Orden, "The
///         transhipment problem", Management Science 2, 1956.
class NetworkSimplex {
  public:
    /// The tree starts with the arcs of least c_ij - f_i - g_j that fit; what they cannot carry goes by
    /// arcs of any cost.
    ///
    /// @param supply, demand  >= 0 and of the same sum, demand > 0; the sum times n + 1 is less than 2^62
    NetworkSimplex(const IntegerCost& cost, std::span<const std::int64_t> supply,
                   std::span<const std::int64_t> demand, const ArcList& arcs, std::span<const std::int64_t> f,
                   std::span<const std::int64_t> g);

    /// Makes the plan optimal on these arcs together with those of the tree.
    ///
    /// @throws core::NumericalError if the search does not come to an end
    void solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// The plan, by rows.
    std::vector<Flow> plan() const;

  private:
    static constexpr std::uint32_t npos = 0xffffffff;

    // Rows come first, columns after them. `flow` is that of the arc between the node and its parent.
    struct Node {
        std::uint32_t parent = npos;
        std::uint32_t child = npos;  // the first
        std::uint32_t next = npos;   // siblings
        std::uint32_t previous = npos;
        std::int64_t potential = 0;  // f of a row, -g of a column
        std::int64_t flow = 0;
        std::uint32_t size = 1;  // of the subtree, with the node itself
    };
    struct Entering {
        std::int64_t slack = 0;  // c_ij - f_i - g_j
        std::uint32_t i = npos;
        std::uint32_t j = npos;
    };

    std::vector<Flow> first_plan(const ArcList& arcs, std::span<const std::int64_t> f,
                                 std::span<const std::int64_t> g, std::vector<std::int64_t> supply,
                                 std::vector<std::int64_t> demand) const;
    void build_tree(const IntegerCost& cost, std::span<const Flow> plan);
    Entering find_entering(const ArcList& arcs);
    void pivot(const Entering& entering);
    void rehang(std::uint32_t node, std::uint32_t top, std::uint32_t parent, std::int64_t flow);
    void shift(std::uint32_t top, std::int64_t by);
    void shift_below(std::uint32_t top, std::uint32_t without, std::int64_t by);
    void attach(std::uint32_t node, std::uint32_t parent);
    void detach(std::uint32_t node);
    void store_duals();

    std::uint32_t rows_;
    std::vector<Node> nodes_;
    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::uint32_t next_row_ = 0;  // where the search for an entering arc goes on
};

}  // namespace popflow::ot
