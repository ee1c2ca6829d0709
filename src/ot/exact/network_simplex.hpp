// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/exact/arcs.hpp"
#include "ot/exact/basis_tree.hpp"

namespace popflow::ot {

/// Solves transport on a sparse set of arcs exactly by the network simplex method, in integers.
///
/// The basis is a spanning tree of rows and columns. Only tree arcs carry flow, and the duals make every tree
/// arc tight. A pivot brings an arc with negative reduced cost into the basis. The arc of its cycle whose
/// flow is exhausted first leaves. Supplies are perturbed so that no basis is degenerate: every tree arc has
/// positive flow. Each pivot therefore lowers the cost, and the method terminates. The caller may add arcs
/// between calls, because the basis stays feasible.
///
/// Source:  Ahuja, Magnanti and Orlin, "Network flows", 1993, chapter 11. Perturbation: Orden, "The
///          transhipment problem", Management Science 2, 1956.
class NetworkSimplex {
  public:
    /// Builds the starting basis from a plan, then from the arcs with the smallest reduced costs
    /// c_ij - f_i - g_j that fit. Mass that they cannot carry uses arcs of any cost.
    ///
    /// @param supply  >= 0
    /// @param demand  > 0, with the same sum as supply. The sum times n + 1 must be less than 2^62.
    /// @param f, g    starting duals
    /// @param start   plan that may be incomplete or empty. Its arcs need not be in `arcs`
    NetworkSimplex(const IntegerCost& cost, std::span<const std::int64_t> supply,
                   std::span<const std::int64_t> demand, const ArcList& arcs, std::span<const std::int64_t> f,
                   std::span<const std::int64_t> g, std::span<const Flow> start);

    /// Makes the plan optimal on these arcs and those of the basis.
    ///
    /// @throws core::NumericalError if the method does not terminate
    void solve(const ArcList& arcs);

    std::span<const std::int64_t> f() const { return f_; }
    std::span<const std::int64_t> g() const { return g_; }
    /// Returns the plan, sorted by rows.
    std::vector<Flow> plan() const;

  private:
    static constexpr std::uint32_t npos = BasisTree::npos;

    struct EnteringArc {
        std::int64_t slack = 0;  // reduced cost c_ij - f_i - g_j
        std::uint32_t i = npos;
        std::uint32_t j = npos;
    };

    std::vector<Flow> initial_plan(const ArcList& arcs, std::span<const std::int64_t> f,
                                   std::span<const std::int64_t> g, std::vector<std::int64_t> supply,
                                   std::vector<std::int64_t> demand, std::span<const Flow> start) const;
    void build_tree(std::span<const Flow> plan);
    EnteringArc find_entering(const ArcList& arcs);
    void store_duals();

    std::uint32_t rows_;
    std::uint32_t cols_;
    BasisTree tree_;
    std::vector<std::int64_t> f_;
    std::vector<std::int64_t> g_;
    std::uint32_t next_row_ = 0;  // row where the next search for an entering arc starts
};

}  // namespace popflow::ot
