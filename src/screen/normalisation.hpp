// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::screen {

/// Count, means and sums of squared deviations m2_j = sum_i (x_ij - mean_j)^2 of the columns of a matrix.
struct Moments {
    std::uint64_t n = 0;
    std::vector<double> mean;  ///< [d]
    std::vector<double> m2;    ///< [d]
    /// sqrt(m2 / n): the population standard deviation, NumPy's default (ddof = 0).
    double standard_deviation(std::size_t j) const;
};

/// Computes the moments of x in one pass over blocks of 1024 rows, in double precision.
///
/// Shapes:  x [n, d].
Moments moments(linalg::ConstMatrixView<float> x);

/// Combines the moments of two disjoint sets of rows. Moments without rows are the neutral element.
///
/// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
/// 1979.
/// @throws core::ShapeMismatch if the numbers of columns differ
Moments combine(const Moments& a, const Moments& b);

/// Affine normalisation x -> (x - mean) / scale, with one mean per marker and one scale for all markers.
///
/// The scale is the mean over markers of the population standard deviations (ddof = 0, as in the published
/// code). Markers keep their spread relative to each other.
struct Normalisation {
    std::vector<float> mean;  ///< [d], mean of the training cells
    float scale = 1;

    /// Normalises in place.
    ///
    /// Shapes:  x [n, d], overwritten.
    /// @throws core::ShapeMismatch
    void apply(linalg::MatrixView<float> x) const;
    /// Inverts apply() in place.
    void invert(linalg::MatrixView<float> x) const;
};

/// Computes the normalisation from the moments of the training cells.
/// @throws core::NumericalError if there are no rows or all markers are constant
Normalisation make_normalisation(const Moments& training);

/// Returns the identity: mean 0, scale 1.
Normalisation no_normalisation(std::size_t markers);

}  // namespace popflow::screen
