// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/exact.hpp"
#include "ot/exact/dense_costs.hpp"
#include "ot/exact/dense_simplex.hpp"
#include "ot/exact/rough_duals.hpp"

namespace popflow::ot {

/// Solves transport problems with given costs in double exactly, min <P, C> over the plans P >= 0 with
/// marginals a and b. Meant for many problems of up to some thousand atoms.
///
/// Runs on the calling thread, is deterministic, and keeps its memory for the next problem. Threads need
/// objects of their own.
///
/// The network simplex on all arcs starts from a basis that a few sweeps of Sinkhorn's iteration suggest, or
/// the potentials of the caller. Costs enter as integers of 51 bits above the lowest (fewer with more than
/// 128 atoms on the smaller side). If the plan only uses costs far below the highest, higher costs are
/// clipped and the others are rounded again, so that a huge cost of forbidden arcs does not blur the rest.
/// Clipping is exact: no clipped arc has flow in the end.
class DenseTransport {
  public:
    /// Solves one problem.
    ///
    /// The duals are f_i = min_j c_ij - g_j in double, so that they are feasible but for one rounding. Atoms
    /// without mass have duals too. TransportPlan::violation and gap are computed in double from the given
    /// costs and all n m arcs.
    ///
    /// Shapes:  c [n, m], elements of any sign. a [n], b [m], weights >= 0. Empty means uniform with total
    ///          mass 1. Uniform weights are exact. Others are rounded to multiples of 2^-61 of the total, and
    ///          b is scaled to the total of a.
    /// Units:   value and gap: cost times mass. duals and violation: cost.
    /// @param start  potentials of a similar problem or of an entropic one, or null. If it has g, f is
    /// ignored.
    ///               They change the time and may select another of several optimal plans.
    ///
    /// @throws core::ShapeMismatch if c is empty, or a weight vector or potential has the wrong length
    /// @throws core::NumericalError if a cost or potential is not finite, a weight is negative or not finite,
    ///         the totals differ by more than a relative 1e-6, or the duals do not prove the plan optimal
    TransportPlan solve(linalg::ConstMatrixView<double> c, std::span<const double> a = {},
                        std::span<const double> b = {}, const Potentials* start = nullptr);

  private:
    void keep_atoms(linalg::ConstMatrixView<double> c, std::span<const double> a, std::span<const double> b);
    void choose_start(linalg::ConstMatrixView<double> c, const Potentials* start);
    double largest_used(linalg::ConstMatrixView<double> kept) const;
    void store_plan(linalg::ConstMatrixView<double> c, double mass, TransportPlan& result);
    double store_duals(linalg::ConstMatrixView<double> c, TransportPlan& result);

    // Atoms with mass.
    std::vector<std::uint32_t> rows_;
    std::vector<std::uint32_t> cols_;
    std::vector<double> a_;
    std::vector<double> b_;
    linalg::Matrix<double> kept_;  // costs between atoms with mass, if others have none
    DenseCosts costs_;
    RoughDuals rough_duals_;
    DenseSimplex simplex_;
    std::vector<float> start_g_;
    std::vector<double> kept_g_;
    std::vector<std::uint32_t> row_start_;
};

/// Solves one problem with DenseTransport.
TransportPlan solve_exact(linalg::ConstMatrixView<double> c, std::span<const double> a = {},
                          std::span<const double> b = {}, const Potentials* start = nullptr);

}  // namespace popflow::ot
