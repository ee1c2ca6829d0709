// SPDX-License-Identifier: MIT
#pragma once

#include "ode/solver.hpp"

namespace popflow::ode {

/// A method with equal steps.
enum class FixedMethod {
    euler,     ///< order 1, one velocity a step
    midpoint,  ///< order 2, two velocities a step
};

/// Equal steps from t = 0 to 1.
struct FixedSteps {
    FixedMethod method = FixedMethod::euler;
    std::size_t steps = 0;  ///< 0 for step size control
};

/// Integrates every row of x from t = 0 to 1 with equal steps.
///
/// Snapshots lie on the straight line between both ends of a step.
///
/// Shapes:  x [n, d], in place.
/// @throws NumericalError if a value is not finite
/// @throws core::Error if a snapshot time is outside [0, 1]
/// @throws ShapeMismatch if a snapshot does not have the shape of x
template <class Real>
Statistics fixed_steps(const Field<Real>& field, const FixedSteps& options, linalg::MatrixView<Real> x,
                       const Snapshots<Real>& snapshots = {});

}  // namespace popflow::ode
