// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::linalg {

/// Largest eigenvalues of a symmetric positive semidefinite matrix, and their eigenvectors.
struct LeadingEigenvectors {
    std::vector<double> values;  ///< [count] descending
    Matrix<double> vectors;      ///< [count, d] orthonormal rows. The entry of largest magnitude is positive
};

/// Computes the eigenvectors of all eigenvalues of a matrix (Eigen) and returns the leading ones.
///
/// Uses one thread, so that the result is deterministic.
/// Shapes:  a [d, d], of which the lower triangle is read.
/// @pre count <= d
/// @throws core::NumericalError if a value is not finite, or the iteration does not converge
LeadingEigenvectors leading_eigenvectors(ConstMatrixView<double> a, std::size_t count);

/// Multiplies vectors by a symmetric positive semidefinite matrix.
///
/// Shapes:  rows [k, d], result [k, d].
using RowsProduct = std::function<Matrix<double>(const Matrix<double>& rows)>;

/// Bound on the residuals of the iteration: |A v - lambda v| <= eigenvector_tolerance * (largest eigenvalue).
inline constexpr double eigenvector_tolerance = 1e-6;

/// Largest number of vectors of d values that the iteration keeps, with their products, for `count` vectors.
std::size_t max_subspace(std::size_t d, std::size_t count);

/// Computes leading eigenvectors of a matrix that is known by its products only.
///
/// Extends a subspace by the residuals of its Ritz pairs, as a block Lanczos method with full
/// orthogonalisation and thick restarts. It starts from random vectors of a fixed seed. An eigenvalue differs
/// from the exact one by at most eigenvector_tolerance times the largest one. Uses one thread, so that the
/// result is deterministic if the product is.
///
/// Sources: Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate singular
/// value decomposition", 2015. Wu and Simon, "Thick-restart Lanczos method", 2000.
/// @pre count <= d
/// @throws core::NumericalError if a product is not finite, or the iteration does not converge
LeadingEigenvectors leading_eigenvectors(std::size_t d, std::size_t count, const RowsProduct& product);

}  // namespace popflow::linalg
