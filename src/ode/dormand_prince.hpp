// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ode {

/// Tolerances and limits of the solver.
struct Options {
    double relative_tolerance = 1e-4;
    double absolute_tolerance = 1e-4;
    double fixed_step = 0;          ///< > 0: no step control, all steps have this size (flow time)
    std::size_t max_steps = 10000;  ///< maximum number of steps of a cell, including rejected ones
};

/// Counts of the work of the solver, summed over cells.
struct Statistics {
    std::uint64_t evaluations = 0;  ///< evaluations of the velocity of a cell
    std::uint64_t accepted = 0;     ///< accepted steps
    std::uint64_t rejected = 0;     ///< rejected steps
    Statistics& operator+=(const Statistics& other);
};

/// Intermediate states to record: x[s] receives the cells at times[s].
///
/// The values come from the solver's interpolant within its steps (dense output). Hence snapshots change
/// neither the steps nor the final states.
template <class Real>
struct Snapshots {
    std::vector<double> times;                  ///< flow time, each in [0, 1]
    std::vector<linalg::MatrixView<Real>> x{};  ///< one matrix [n, d] for each time; overwritten

    /// Returns the snapshots of rows [first, first + count).
    Snapshots row_block(std::size_t first, std::size_t count) const {
        Snapshots block{times, {}};
        for (const auto& m : x) block.x.push_back(m.row_block(first, count));
        return block;
    }
};

/// Checks snapshots of x [rows, cols].
/// @param solver  name for the message
/// @throws core::Error if a time is outside [0, 1]
/// @throws ShapeMismatch if a snapshot has another shape
template <class Real>
void check_snapshots(const std::string& solver, const Snapshots<Real>& snapshots, std::size_t rows,
                     std::size_t cols);

/// Velocity field dx/dt = f(x, t) of a batch of cells: f(t, x, v) overwrites v. Rows are independent.
///
/// Shapes:  t [n], x [n, d], v [n, d].
template <class Real>
using Field =
    std::function<void(std::span<const Real>, linalg::ConstMatrixView<Real>, linalg::MatrixView<Real>)>;

/// Integrates every row of x from t = 0 to t = 1 with the Dormand-Prince pair of orders 5 and 4.
///
/// Each cell has its own time and step size. The error norm is the root mean square over markers of
/// error / (absolute + relative max(|x|, |x_new|)). A PI controller sets the next step. Hence the result of a
/// cell does not depend on the other cells of the batch. The last stage of a step is the first of the next
/// one. Cells that reach t = 1 leave the batch.
///
/// Snapshots are exact at t = 0 and t = 1. In between they are of order 4, as accurate as the tolerance
/// demands.
///
/// Shapes:  x [n, d], in place.
/// Source:  Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19-26. First step, controller and
/// interpolant:
///          Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations", sections II.4 and II.6 of
///          volume I and section IV.2 of volume II.
/// @throws NumericalError if a value is not finite, a step size underflows, or a cell exceeds max_steps
/// @throws core::Error if a snapshot time is outside [0, 1]
/// @throws ShapeMismatch if a snapshot does not have the shape of x
template <class Real>
Statistics dormand_prince(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                          const Snapshots<Real>& snapshots = {});

}  // namespace popflow::ode
