// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ode {

/// A method with step size control.
enum class Method {
    adams,           ///< adams()
    dormand_prince,  ///< dormand_prince()
};

/// Method, tolerance and limits of a solver with step size control.
struct Options {
    Method method = Method::adams;
    double tolerance = 1e-4;             ///< both relative and absolute error of a step
    double fixed_step = 0;               ///< > 0: no step size control, all steps have this size (flow time)
    std::size_t max_velocities = 60000;  ///< maximum of a cell, with those of rejected steps
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

/// Returns the tolerated error of a marker in a step from one value to another.
inline double tolerated_error(double tolerance, double from, double to) {
    return tolerance + tolerance * std::max(std::abs(from), std::abs(to));
}

}  // namespace popflow::ode
