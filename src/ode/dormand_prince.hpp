// SPDX-License-Identifier: MIT
#pragma once

#include "ode/solver.hpp"

namespace popflow::ode {

/// Integrates every row of x from t = 0 to t = 1 with the Dormand-Prince pair of orders 5 and 4.
///
/// Each cell has its own time and step size. The error norm is the root mean square over markers of
/// error / (tolerance + tolerance max(|x|, |x_new|)). A PI controller sets the next step. Hence the result of
/// a cell does not depend on the other cells of the batch. The last stage of a step is the first of the next
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
/// @throws NumericalError if a value is not finite, a step size underflows, or a cell needs more than
/// max_velocities
/// @throws core::Error if a snapshot time is outside [0, 1]
/// @throws ShapeMismatch if a snapshot does not have the shape of x
template <class Real>
Statistics dormand_prince(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                          const Snapshots<Real>& snapshots = {});

}  // namespace popflow::ode
