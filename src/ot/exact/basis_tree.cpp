// SPDX-License-Identifier: MIT
#include "ot/exact/basis_tree.hpp"

#include <algorithm>
#include <limits>

namespace popflow::ot {

namespace {

float rounded(std::uint64_t potential) {
    return static_cast<float>(static_cast<std::int64_t>(potential));
}

}  // namespace

void BasisTree::reset(std::size_t n, std::size_t m) {
    cols_ = static_cast<std::uint32_t>(m);
    first_row_ = cols_;
    clear(n);
    potential_fp32_.clear();
}

void BasisTree::reset_padded(std::size_t n, std::size_t m, std::size_t padded_cols) {
    cols_ = static_cast<std::uint32_t>(m);
    first_row_ = static_cast<std::uint32_t>(padded_cols);
    clear(n);
    potential_fp32_.resize(potential_.size());
}

void BasisTree::clear(std::size_t n) {
    const std::size_t nodes = first_row_ + n;
    parent_.assign(nodes, npos);
    size_.assign(nodes, 1);
    flow_.assign(nodes, 0);
    position_.resize(nodes);
    potential_.resize(nodes);
    preorder_.resize(cols_ + n);
    buffer_.resize(nodes);
    attached_.clear();
}

void BasisTree::attach(std::uint32_t node, std::uint32_t parent, std::int64_t flow) {
    parent_[node] = parent;
    flow_[node] = flow;
    size_[parent] += size_[node];
    attached_.push_back(node);
}

void BasisTree::finish(std::uint32_t root) {
    root_ = root;
    // buffer_ has the next free position below each node.
    const auto place = [&](std::uint32_t node, std::uint32_t position) {
        position_[node] = position;
        preorder_[position] = node;
        buffer_[node] = position + 1;
    };
    place(root, 0);
    for (std::size_t l = attached_.size(); l-- > 0;) {
        const std::uint32_t node = attached_[l];
        const std::uint32_t position = buffer_[parent_[node]];
        buffer_[parent_[node]] += size_[node];
        place(node, position);
    }
}

void BasisTree::round_potentials() {
    for (std::size_t v = 0; v < potential_fp32_.size(); ++v) potential_fp32_[v] = rounded(potential_[v]);
}

void BasisTree::centre() {
    const std::uint64_t by = potential_[root_];
    if (by == 0) return;
    for (std::uint64_t& potential : potential_) potential -= by;
    round_potentials();
}

// The entering arc closes a cycle through the apex, the lowest common ancestor of row and col. Flow falls on
// the arcs from rows to their parents on the side of `row`, and on those from columns to their parents on the
// side of `col`. Of the arcs whose flow ends first, the last one leaves in the direction of the cycle that
// starts at the apex and passes `row` before `col`.
BasisTree::Leaving BasisTree::find_leaving(std::uint32_t row, std::uint32_t col) const {
    constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
    Leaving from_row{npos, npos, unlimited, true};
    Leaving from_col{npos, npos, unlimited, false};
    std::uint32_t u = row;
    for (const std::uint32_t position = position_[col]; !is_below(position, u); u = parent_[u]) {
        if (is_row(u) && flow_[u] < from_row.flow) {
            from_row.flow = flow_[u];
            from_row.node = u;
        }
    }
    for (std::uint32_t v = col; v != u; v = parent_[v]) {
        if (!is_row(v) && flow_[v] <= from_col.flow) {
            from_col.flow = flow_[v];
            from_col.node = v;
        }
    }
    Leaving& leaving = from_row.flow < from_col.flow ? from_row : from_col;
    leaving.apex = u;
    return leaving;
}

void BasisTree::move_flow(std::uint32_t row, std::uint32_t col, std::uint32_t apex, std::int64_t units) {
    for (std::uint32_t u = row; u != apex; u = parent_[u]) flow_[u] += is_row(u) ? -units : units;
    for (std::uint32_t v = col; v != apex; v = parent_[v]) flow_[v] += is_row(v) ? units : -units;
}

void BasisTree::pivot(std::uint32_t i, std::uint32_t j, std::int64_t slack) {
    const std::uint32_t row = row_node(i);
    const std::uint32_t col = j;
    const Leaving leaving = find_leaving(row, col);
    if (leaving.flow > 0) move_flow(row, col, leaving.apex, leaving.flow);
    // Attaches the subtree below the leaving arc to the entering arc, and makes that arc tight.
    const std::uint32_t top = leaving.is_on_row_side ? row : col;
    const std::uint32_t parent = leaving.is_on_row_side ? col : row;
    const std::uint32_t count = size_[leaving.node];
    for (std::uint32_t u = parent_[leaving.node]; u != leaving.apex; u = parent_[u]) size_[u] -= count;
    for (std::uint32_t u = parent; u != leaving.apex; u = parent_[u]) size_[u] += count;
    const std::uint32_t old_first = position_[leaving.node];
    reroot(top, leaving.node, parent, leaving.flow);
    const std::size_t first = move_subtree(old_first, count, parent);
    // Only differences of potentials matter, so it shifts the smaller of the two parts.
    const auto by = static_cast<std::uint64_t>(leaving.is_on_row_side ? slack : -slack);
    if (2 * static_cast<std::size_t>(count) <= preorder_.size()) {
        shift(first, first + count, by);
    } else {
        shift(0, first, 0 - by);
        shift(first + count, preorder_.size(), 0 - by);
        shift_padding(0 - by);
    }
}

// Reverses the path from `top` to `leaving` and attaches `top` to `parent`. Writes the new preorder of the
// subtree to buffer_. It consists of the old subtrees of the nodes of the path, each without the one before.
void BasisTree::reroot(std::uint32_t top, std::uint32_t leaving, std::uint32_t parent, std::int64_t flow) {
    const std::uint32_t count = size_[leaving];
    const std::uint32_t* old = preorder_.data();
    std::uint32_t* next = buffer_.data();
    std::uint32_t node = top;
    std::uint32_t below = 0;  // old size of the previous node
    // Old positions of the previous subtree.
    std::uint32_t first = position_[top];
    std::uint32_t last = first;
    for (;;) {
        const std::uint32_t old_parent = parent_[node];
        const std::uint32_t old_size = size_[node];
        const std::int64_t old_flow = flow_[node];
        const std::uint32_t begin = position_[node];
        const std::uint32_t end = begin + old_size;
        next = std::copy(old + begin, old + first, next);
        next = std::copy(old + last, old + end, next);
        first = begin;
        last = end;
        parent_[node] = parent;
        size_[node] = count - below;
        flow_[node] = flow;
        if (node == leaving) break;
        below = old_size;
        parent = node;
        flow = old_flow;
        node = old_parent;
    }
}

// Moves the subtree of `count` nodes at position `first`, whose new preorder is in buffer_, next to its
// parent and returns its new position.
std::uint32_t BasisTree::move_subtree(std::uint32_t first, std::uint32_t count, std::uint32_t parent) {
    std::uint32_t* order = preorder_.data();
    const std::uint32_t after_parent = position_[parent] + 1;
    std::uint32_t begin = first;
    std::uint32_t end = first + count;
    std::uint32_t to = first;
    if (after_parent <= first) {
        std::move_backward(order + after_parent, order + first, order + end);
        to = begin = after_parent;
    } else {
        std::move(order + end, order + after_parent, order + first);
        end = after_parent;
        to = end - count;
    }
    std::copy(buffer_.data(), buffer_.data() + count, order + to);
    for (std::uint32_t k = begin; k < end; ++k) position_[order[k]] = k;
    return to;
}

void BasisTree::shift(std::size_t first, std::size_t last, std::uint64_t by) {
    if (potential_fp32_.empty()) {
        for (std::size_t k = first; k < last; ++k) potential_[preorder_[k]] += by;
        return;
    }
    for (std::size_t k = first; k < last; ++k) {
        const std::uint32_t v = preorder_[k];
        potential_[v] += by;
        potential_fp32_[v] = rounded(potential_[v]);
    }
}

// Keeps the difference between the padding of the columns and the root.
void BasisTree::shift_padding(std::uint64_t by) {
    for (std::uint32_t v = cols_; v < first_row_; ++v) {
        potential_[v] += by;
        potential_fp32_[v] = rounded(potential_[v]);
    }
}

}  // namespace popflow::ot
