// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "core/random.hpp"
#include "simulate/shape_law.hpp"

namespace popflow::simulate {

/// Superquadric: the points with g(x) = 1, where
///
///     g(x, y, z) = ((|x / a|^p + |y / b|^p)^(q / p) + |z / c|^q)^(1 / q),  q = 2 / exponents[0],  p = 2 /
///     exponents[1].
///
/// Exponents of 1 give an ellipsoid, small ones a box, and 2 an octahedron. For exponents up to 2, g is a
/// norm, so the body is convex.
/// Source: Barr, "Superquadrics and angle-preserving transformations", IEEE CG&A 1981.
struct Superquadric {
    std::array<double, 3> axes{1, 1, 1};    ///< half axes a, b, c
    std::array<double, 2> exponents{1, 1};  ///< along the meridians, along the parallels; in (0, 2]

    /// Returns g and, in `gradient`, its gradient. @param x  not 0
    double norm(const std::array<double, 3>& x, std::array<double, 3>& gradient) const;
};

/// Draws a point uniformly by area on the surface.
///
/// Rejection, so the law is exact: a direction u, uniform on the sphere, is accepted with a probability
/// proportional to the area of the surface per solid angle, |grad g(u)| / g(u)^3. The point is u / g(u).
/// Bounds for every exponent in (0, 2]: |grad g| <= |(1 / a, 1 / b, 1 / c)| and g(u) >= 1 / |(a, b, c)|.
std::array<double, 3> draw_surface_point(const Superquadric& shape, core::Stream& stream);

/// Surfaces of superquadrics in space, rotated about the z axis.
///
/// Half axes ~ U(0.4, 1), exponents ~ U(0.2, 2), yaw ~ U(0, 2 pi). Points are uniform by area.
/// Parameters: axis_x, axis_y, axis_z, exponent_1, exponent_2, yaw. Treatments share the range of exponent_1.
ShapeLaw make_superquadrics(const ShapesOptions& options);

}  // namespace popflow::simulate
