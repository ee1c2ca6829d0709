// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::ot {

/// Returns the squared 2-Wasserstein distance between the Gaussians with these moments:
/// |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2). The trace of the last term is the sum of the singular
/// values of A^1/2 B^1/2.
///
/// It is a lower bound on the squared W2 between any two populations with these moments.
///
/// Source:  Gelbrich, "On a formula for the L2 Wasserstein metric between measures on Euclidean and Hilbert
///          spaces", Math. Nachr. 147, 1990.
/// @param a, b  with their roots
/// @throws core::ShapeMismatch if the moments differ in their number of markers
double squared_bures_distance(const GaussianMoments& a, const GaussianMoments& b);

/// Returns the squared distances between all Gaussians of two lists, as squared_bures_distance(), for a
/// coupling. Faster and less accurate: the absolute error is up to 1e-7 of the traces of the covariances.
/// Uses the calling thread.
///
/// Shape: result [a.size(), b.size()].
/// @param a, b  with their roots
/// @throws core::ShapeMismatch if the moments differ in their number of markers
linalg::Matrix<double> squared_bures_matrix(std::span<const GaussianMoments* const> a,
                                            std::span<const GaussianMoments* const> b);

/// Returns the matrix C of the optimal map x -> m_b + C (x - m_a) between two Gaussians:
/// C = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2. It is symmetric and positive semidefinite, and C A C = B.
///
/// Eigenvalues of A below 1e-9 of the largest one are raised to it, so that a direction without spread has a
/// bounded map.
///
/// Shape: result [d, d].
/// Source: Peyre and Cuturi, "Computational Optimal Transport", 2019, section 2.6.
/// @throws core::ShapeMismatch if the moments differ in their number of markers
/// @throws core::NumericalError if A is zero
linalg::Matrix<double> gaussian_map(const GaussianMoments& a, const GaussianMoments& b);

/// Point of a geodesic between two Gaussians in the Bures-Wasserstein space, and its velocity.
struct GeodesicPoint {
    std::vector<double> mean;           ///< [d] m_t
    linalg::Matrix<double> covariance;  ///< [d, d] S_t
    std::vector<double> mean_velocity;  ///< [d] dm/dt = m_b - m_a
    linalg::Matrix<double> velocity;    ///< [d, d] V_t, symmetric: dS/dt = V_t S_t + S_t V_t
};

/// Returns the point of the geodesic from `a` to `b` at time t. With T_t = (1 - t) I + t C it is
/// m_t = (1 - t) m_a + t m_b, S_t = T_t A T_t and V_t = (C - I) T_t^-1.
///
/// Particles of the Gaussian move by dx/dt = dm/dt + V_t (x - m_t).
/// @param map  gaussian_map(a, b)
/// @param t  in [0, 1], below 1 if the map is singular
/// @throws core::ShapeMismatch
/// @throws core::NumericalError if T_t is singular
GeodesicPoint geodesic_point(const GaussianMoments& a, const GaussianMoments& b,
                             const linalg::Matrix<double>& map, double t);

/// Returns the barycentre of Gaussians with equal weights, with the root of its covariance. Its covariance
/// minimises the sum of squared Bures distances.
///
/// Fixed-point iteration S <- S^-1/2 (mean_i (S^1/2 B_i S^1/2)^1/2)^2 S^-1/2, until S changes by less than a
/// relative 1e-6, at most 100 times. The same bits for any number of threads.
///
/// Source: Alvarez-Esteban, del Barrio, Cuesta-Albertos and Matran, "A fixed-point approach to barycenters in
///         Wasserstein space", J. Math. Anal. Appl. 441, 2016.
/// @throws core::ShapeMismatch if there is no Gaussian, or if they differ in their number of markers
GaussianMoments bures_barycentre(std::span<const GaussianMoments> gaussians);

}  // namespace popflow::ot
