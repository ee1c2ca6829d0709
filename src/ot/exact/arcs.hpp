// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/cost.hpp"

namespace popflow::ot {

/// A possible move of mass from row i to column j.
struct Arc {
    std::uint32_t i;
    std::uint32_t j;
    friend auto operator<=>(const Arc&, const Arc&) = default;
};

/// Mass on an arc of a plan, in whole units.
struct Flow {
    std::uint32_t i;
    std::uint32_t j;
    std::int64_t units;
};

/// A sparse subset of the n x m arcs, by rows, with integer costs.
///
/// Integers make the search for an optimum exact: sums and comparisons of duals never round, ties are ties.
struct ArcList {
    std::vector<std::size_t> first;  ///< [n + 1], where the arcs of each row begin
    std::vector<std::uint32_t> col;  ///< sorted within a row
    std::vector<std::int64_t> cost;

    std::size_t size() const { return col.size(); }
};

/// Cost::exact as an integer: rounded to a multiple of 1 / scale, the power of two that gives the largest
/// cost `cost_bits` bits.
class IntegerCost {
  public:
    explicit IntegerCost(const Cost& cost);
    std::int64_t operator()(std::size_t i, std::size_t j) const;
    std::int64_t from_matrix_units(double v) const;
    double to_matrix_units(std::int64_t v) const { return static_cast<double>(v) / scale_; }

  private:
    const Cost& cost_;
    double scale_;
};

/// Adds arcs (in any order, repeats allowed) to a list of n rows; costs of new ones are computed.
void add_arcs(const IntegerCost& cost, std::size_t n, const std::vector<Arc>& more, ArcList& arcs);

/// What is left of an fp32 cost when all its errors are taken off: r = kept_fraction c_ij - g_j in fp32 is at
/// most rounding_bound(r) above the exact reduced cost, |g_j| <= largest_g, all in matrix units.
float kept_fraction(const Cost& cost);
double rounding_bound(const Cost& cost, double reduced, double largest_g);

/// The arcs with c_ij < f_i + g_j, at most `per_row` of each row, the most negative; exact duals are
/// integers. No arc is missed: the fp32 matrix clears only what its error bound clears, the rest is
/// computed exactly.
std::vector<Arc> violated_arcs(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> f,
                               std::span<const std::int64_t> g, std::size_t per_row);

}  // namespace popflow::ot
