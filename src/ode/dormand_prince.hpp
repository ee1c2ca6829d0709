// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::ode {

/// Tolerances and limits of the solver.
struct Options {
    double relative_tolerance = 1e-4;
    double absolute_tolerance = 1e-4;
    double fixed_step = 0;          ///< > 0: no step control, every step of this size (flow time)
    std::size_t max_steps = 10000;  ///< of one cell, rejected ones included
};

/// Work done.
struct Statistics {
    std::uint64_t evaluations = 0;  ///< velocities of one cell
    std::uint64_t accepted = 0;     ///< steps of one cell
    std::uint64_t rejected = 0;
    Statistics& operator+=(const Statistics& other);
};

/// Where to leave the cells as they are at given times on their way: x[s] at times[s].
///
/// The values come from the solver's own interpolant within its steps (dense output), so that asking for them
/// changes neither the steps nor where a cell ends.
template <class Real>
struct Snapshots {
    std::vector<double> times;                  ///< flow time, each in [0, 1]
    std::vector<linalg::MatrixView<Real>> x{};  ///< as many matrices of the shape of x; overwritten

    /// The snapshots of `count` rows from `first` on.
    Snapshots row_block(std::size_t first, std::size_t count) const {
        Snapshots block{times, {}};
        for (const auto& m : x) block.x.push_back(m.row_block(first, count));
        return block;
    }
};

/// dx/dt = f(x, t) of many cells at once: f(t [n], x [n, d], v [n, d]) overwrites v; rows are independent.
template <class Real>
using Field =
    std::function<void(std::span<const Real>, linalg::ConstMatrixView<Real>, linalg::MatrixView<Real>)>;

/// Integrates every row of x from t = 0 to t = 1 with the Dormand-Prince pair of orders 5 and 4.
///
/// Each cell has its own time and step: its error norm is the root mean square over markers of
/// error / (absolute + relative max(|x|, |x_new|)), and a PI controller sets its next step, so that where a
/// cell ends does not depend on which cells share the batch. The last stage of a step is the first of the
/// next. Cells that have arrived leave the batch.
///
/// Snapshots are exact at t = 0 and t = 1 and of order 4 between, as accurate as the tolerance asks.
///
/// Shapes:  x [n, d], in place.
/// Source:  Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19-26; first step and controller after
/// Hairer,
///          Norsett, Wanner, "Solving Ordinary Differential Equations I", sections II.4 and IV.2 of volume
///          II; the interpolant is the one of section II.6.
/// @throws NumericalError if a cell leaves the finite numbers, its step vanishes, or max_steps is reached
template <class Real>
Statistics dormand_prince(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                          const Snapshots<Real>& snapshots = {});

}  // namespace popflow::ode
