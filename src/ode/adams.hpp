// SPDX-License-Identifier: MIT
#pragma once

#include "ode/solver.hpp"

namespace popflow::ode {

/// Integrates every row of x from t = 0 to t = 1 with the Adams methods of order 3, one velocity a step.
///
/// The predictor extrapolates the velocities of the last three points (Adams-Bashforth). The corrector
/// interpolates the velocities of the predicted point and the last two points (Adams-Moulton). The velocity
/// of the predicted point is kept as that of the corrected one. The first two steps have order 1 and 2.
///
/// Each cell has its own time, step sizes and history. The difference between corrector and predictor is the
/// error estimate of a step. Its norm is that of dormand_prince(). Hence the result of a cell does not depend
/// on the other cells of the batch. Cells that reach t = 1 leave the batch.
///
/// The velocity of a network with ReLUs or SELUs has kinks. There a method of higher order gains nothing from
/// its additional velocities, and this one needs about half of those of dormand_prince() for the same error
/// (benchmarks/README.md). For smooth velocities and tolerances below 1e-6 dormand_prince() needs fewer.
///
/// Snapshots are exact at t = 0 and t = 1. In between they are of order 3.
///
/// Shapes:  x [n, d], in place.
/// Source:  Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", section III.5, variable
/// step sizes.
/// @throws NumericalError if a value is not finite, a step size underflows, or a cell needs more than
/// max_velocities
/// @throws core::Error if a snapshot time is outside [0, 1]
/// @throws ShapeMismatch if a snapshot does not have the shape of x
template <class Real>
Statistics adams(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                 const Snapshots<Real>& snapshots = {});

}  // namespace popflow::ode
