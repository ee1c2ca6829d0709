// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ot/cost.hpp"

namespace popflow::ot {

/// Arc of the bipartite graph: mass may move from row i to column j.
struct Arc {
    std::uint32_t i;
    std::uint32_t j;
    friend auto operator<=>(const Arc&, const Arc&) = default;
};

/// Flow on an arc of a plan, in integer units of mass.
struct Flow {
    std::uint32_t i;
    std::uint32_t j;
    std::int64_t units;
};

/// Sparse subset of the n x m arcs with integer costs, in compressed sparse row format.
///
/// Integers make the search for an optimum exact: sums and comparisons of duals never round.
struct ArcList {
    std::vector<std::size_t> first;  ///< [n + 1], index of the first arc of each row
    std::vector<std::uint32_t> col;  ///< column of each arc, ascending within a row
    std::vector<std::int64_t> cost;  ///< cost of each arc

    std::size_t size() const { return col.size(); }
};

/// Converts costs to integers: rounds Cost::exact() to a multiple of 1 / scale.
///
/// scale is the power of two for which the largest cost has 44 bits. It is smaller above 2^17 cells, so that
/// a path over all rows and columns does not overflow.
class IntegerCost {
  public:
    /// @param cost  must outlive this object
    explicit IntegerCost(const Cost& cost);
    /// Returns the integer cost of arc (i, j).
    std::int64_t operator()(std::size_t i, std::size_t j) const;
    /// Convert between units of the fp32 matrix and integers.
    std::int64_t from_matrix_units(double v) const;
    double to_matrix_units(std::int64_t v) const { return static_cast<double>(v) / scale_; }

  private:
    const Cost& cost_;
    double scale_;
};

/// Adds arcs to a list of n rows and computes their costs. They may be in any order, and repeats are ignored.
void add_arcs(const IntegerCost& cost, std::size_t n, const std::vector<Arc>& new_arcs, ArcList& arcs);

/// Returns the largest row duals that are feasible on the arcs: f_i = min_j c_ij - g_j over the arcs of row
/// i. Shapes:  g [m], the result [n].
std::vector<std::int64_t> row_duals(const ArcList& arcs, std::span<const std::int64_t> g);

/// Returns the factor below 1 that deflates an fp32 cost by its relative error and the roundings that follow.
float kept_fraction(const Cost& cost);
/// Returns the absolute part of the error. In fp32 r = kept_fraction() * c_ij - g_j exceeds the exact value
/// of c_ij - g_j by at most rounding_bound(cost, r, largest_g).
///
/// Units:   those of the fp32 matrix.
/// @param reduced    r
/// @param largest_g  bound on |g_j|
double rounding_bound(const Cost& cost, double reduced, double largest_g);

/// Prices out all n m arcs: returns those with negative reduced cost c_ij - f_i - g_j, at most `per_row` of
/// each row, the most negative ones.
///
/// Complete: skips only arcs that the fp32 matrix and its error bound prove feasible. Computes the reduced
/// costs of the other arcs exactly.
std::vector<Arc> violated_arcs(const Cost& cost, const IntegerCost& integer, std::span<const std::int64_t> f,
                               std::span<const std::int64_t> g, std::size_t per_row);

}  // namespace popflow::ot
