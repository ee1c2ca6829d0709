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

/// Moments of x in one pass over blocks of 1024 rows, in double.
///
/// Shapes:  x [n, d].
Moments moments(linalg::ConstMatrixView<float> x);

/// Moments of two disjoint sets of rows together; moments without rows are neutral.
///
/// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
/// 1979.
/// @throws core::ShapeMismatch
Moments combine(const Moments& a, const Moments& b);

/// x -> (x - mean) / scale, one mean per marker and one scale for all.
///
/// The scale is the mean over markers of the standard deviations (population ones, ddof = 0, as in the
/// published code), so that markers keep their spread relative to each other.
struct Normalisation {
    std::vector<float> mean;  ///< [d], of the training cells
    float scale = 1;

    /// Shapes:  x [n, d], overwritten. @throws core::ShapeMismatch
    void apply(linalg::MatrixView<float> x) const;
    /// The inverse of apply().
    void invert(linalg::MatrixView<float> x) const;
};

/// @throws core::NumericalError if there are no rows or all markers are constant
Normalisation make_normalisation(const Moments& training);

/// The identity: mean 0, scale 1.
Normalisation no_normalisation(std::size_t markers);

}  // namespace popflow::screen
