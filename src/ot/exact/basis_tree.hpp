// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Basis of the network simplex: a spanning tree of rows and columns with flows and potentials.
///
/// Column j is node j, row i is node row_node(i). Nodes are stored in preorder, so the nodes of a subtree are
/// consecutive. The tree is strongly feasible: an arc without flow leads from a row to its parent column.
/// With the choice of the leaving arc in pivot() it remains so, and degenerate pivots cannot cycle.
///
/// Potentials are modulo 2^64. Their differences within the tree fit 61 bits.
///
/// Source:  Cunningham, "A network simplex method", Math. Program. 11, 1976 (strongly feasible trees).
class BasisTree {
  public:
    static constexpr std::uint32_t npos = 0xffffffff;

    /// Removes all arcs. Potentials have no copy in fp32.
    void reset(std::size_t n, std::size_t m);
    /// Removes all arcs. Potentials have a copy in fp32, and those of the columns are padded.
    /// @param padded_cols  DenseCosts::padded_cols()
    void reset_padded(std::size_t n, std::size_t m, std::size_t padded_cols);
    /// Adds the arc between a node and its parent. All nodes below the node must have been attached before.
    /// @param flow  >= 0, and > 0 if the node is a column
    void attach(std::uint32_t node, std::uint32_t parent, std::int64_t flow);
    /// Numbers the nodes when all but the root are attached.
    void finish(std::uint32_t root);
    /// Computes the potentials that make every arc of the tree tight. costs(i, j) is an integer.
    template <class Costs>
    void set_potentials(const Costs& costs) {
        potential_[root_] = 0;
        for (const std::uint32_t v : preorder_) {
            if (v == root_) continue;
            const std::uint32_t w = parent_[v];
            potential_[v] = is_row(v) ? potential_[w] + static_cast<std::uint64_t>(costs(row_of(v), w))
                                      : potential_[w] - static_cast<std::uint64_t>(costs(row_of(w), v));
        }
        for (std::uint32_t v = cols_; v < first_row_; ++v) potential_[v] = 0;
        round_potentials();
    }
    /// Shifts all potentials so that the root has 0.
    void centre();

    /// Brings the arc (i, j) with a negative slack into the tree.
    void pivot(std::uint32_t i, std::uint32_t j, std::int64_t slack);

    std::uint32_t row_node(std::size_t i) const { return first_row_ + static_cast<std::uint32_t>(i); }
    bool is_row(std::uint32_t node) const { return node >= first_row_; }
    /// Returns the row i of a node, the inverse of row_node().
    std::uint32_t row_of(std::uint32_t node) const { return node - first_row_; }
    /// Potentials of the columns, -g_j, padded after reset_padded().
    const std::uint64_t* col_potentials() const { return potential_.data(); }
    const float* col_potentials_fp32() const { return potential_fp32_.data(); }
    /// Potential of a row, f_i.
    std::uint64_t row_potential(std::size_t i) const { return potential_[row_node(i)]; }
    float row_potential_fp32(std::size_t i) const { return potential_fp32_[row_node(i)]; }

    /// Calls visit(i, j, flow) for every arc with flow: first of column 0, then of column 1, ..., then those
    /// of rows to their parents.
    template <class Visit>
    void visit_flows(const Visit& visit) const {
        for (std::uint32_t v = 0; v < parent_.size(); ++v) {
            if (flow_[v] == 0) continue;
            if (is_row(v)) {
                visit(row_of(v), parent_[v], flow_[v]);
            } else {
                visit(row_of(parent_[v]), v, flow_[v]);
            }
        }
    }

    /// Calls visit(node, parent, flow) for every arc, for those of a subtree before the arc above it.
    template <class Visit>
    void visit_upwards(const Visit& visit) const {
        for (std::size_t k = preorder_.size() - 1; k > 0; --k) {
            const std::uint32_t v = preorder_[k];
            visit(v, parent_[v], flow_[v]);
        }
    }

  private:
    struct Leaving {
        std::uint32_t node;
        std::uint32_t apex;
        std::int64_t flow;
        bool is_on_row_side;
    };
    void clear(std::size_t n);
    bool is_below(std::uint32_t position, std::uint32_t node) const {
        return position - position_[node] < size_[node];
    }
    Leaving find_leaving(std::uint32_t row, std::uint32_t col) const;
    void move_flow(std::uint32_t row, std::uint32_t col, std::uint32_t apex, std::int64_t units);
    void reroot(std::uint32_t top, std::uint32_t leaving, std::uint32_t parent, std::int64_t flow);
    std::uint32_t move_subtree(std::uint32_t first, std::uint32_t count, std::uint32_t parent);
    void shift(std::size_t first, std::size_t last, std::uint64_t by);
    void shift_padding(std::uint64_t by);
    void round_potentials();

    std::uint32_t cols_ = 0;
    std::uint32_t first_row_ = 0;  // nodes from cols_ to here are padding of the columns, in no tree
    std::uint32_t root_ = 0;
    std::vector<std::uint32_t> parent_;
    std::vector<std::uint32_t> size_;      // number of nodes of the subtree, including the node
    std::vector<std::uint32_t> position_;  // in preorder_
    std::vector<std::uint32_t> preorder_;
    std::vector<std::int64_t> flow_;  // on the arc between the node and its parent
    linalg::AlignedVector<std::uint64_t> potential_;
    linalg::AlignedVector<float> potential_fp32_;  // empty after reset()
    std::vector<std::uint32_t> attached_;          // in the order of attach()
    std::vector<std::uint32_t> buffer_;
};

}  // namespace popflow::ot
