// SPDX-License-Identifier: MIT
#pragma once

#include "simulate/shape_law.hpp"

namespace popflow::simulate {

/// Gaussians along a spiral in the plane.
///
/// u ~ U(0.05, 1), radius = sqrt(u), angle = 2 pi radius, mean = radius (cos, sin)(angle), covariance = 0.01
/// (0.9 e e^T + 0.1 p p^T). e is the unit vector from the mean to the centre, p is orthogonal to it.
/// Parameters: u, radius, angle, mean_x, mean_y. Treatments share the range of u.
/// Source: Haviv et al., "Wasserstein Flow Matching", ICML 2025 (arXiv 2411.00698), the spiral of the
/// authors' code.
ShapeLaw make_spiral(const ShapesOptions& options);

/// Noisy ellipses in the plane.
///
/// radius r ~ U(0.5, 1.5), flattening f ~ U(0, 0.6), direction ~ U(0, pi), centre ~ N(0, 0.25 I). A point is
/// centre + R(direction) (r cos t, r (1 - f) sin t) + N(0, 0.05^2 I) with t ~ U(0, 2 pi).
/// Parameters: radius, flattening, direction, centre_x, centre_y. Treatments share the range of the radius.
ShapeLaw make_rings(const ShapesOptions& options);

}  // namespace popflow::simulate
