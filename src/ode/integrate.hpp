// SPDX-License-Identifier: MIT
#pragma once

#include "ode/adams.hpp"
#include "ode/dormand_prince.hpp"
#include "ode/fixed_steps.hpp"

namespace popflow::ode {

/// Integrates every row of x from t = 0 to 1 with step size control, by the method of the options.
///
/// Shapes and errors are those of adams().
template <class Real>
Statistics integrate(const Field<Real>& field, const Options& options, linalg::MatrixView<Real> x,
                     const Snapshots<Real>& snapshots = {}) {
    return options.method == Method::adams ? adams(field, options, x, snapshots)
                                           : dormand_prince(field, options, x, snapshots);
}

/// Integrates with equal steps if there are any, otherwise with step size control.
template <class Real>
Statistics integrate(const Field<Real>& field, const Options& options, const FixedSteps& fixed,
                     linalg::MatrixView<Real> x, const Snapshots<Real>& snapshots = {}) {
    return fixed.steps > 0 ? fixed_steps(field, fixed, x, snapshots)
                           : integrate(field, options, x, snapshots);
}

}  // namespace popflow::ode
