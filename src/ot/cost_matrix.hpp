// SPDX-License-Identifier: MIT
#pragma once

#include "linalg/matrix.hpp"

namespace popflow::ot {

/// Cost between atoms at given positions.
enum class AtomCost {
    squared_euclidean,  ///< ||x - y||^2
    euclidean,          ///< ||x - y||
    sphere,             ///< angle between x and y in radians: their distance on the unit sphere
};

/// Returns the costs between two sets of atoms in double.
///
/// The angle is 2 atan2(||x/|x| - y/|y|||, ||x/|x| + y/|y|||), which is accurate for all angles.
///
/// Shapes:  x [n, d], y [m, d]. The result [n, m].
/// Source:  Kahan, "How futile are mindless assessments of roundoff in floating-point computation?", 2006,
/// section
///          12 (the angle).
/// @throws core::ShapeMismatch if x and y differ in columns or either is empty
/// @throws core::NumericalError if a position is not finite, or is zero and the cost is an angle
linalg::Matrix<double> cost_matrix(AtomCost kind, linalg::ConstMatrixView<double> x,
                                   linalg::ConstMatrixView<double> y);

/// Mean and largest cost of a matrix.
struct CostSummary {
    double mean = 0;
    double largest = 0;
};

/// Summarises a cost matrix, which is not empty.
CostSummary summarise_costs(linalg::ConstMatrixView<double> c);

}  // namespace popflow::ot
