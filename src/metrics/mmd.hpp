// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Widths gamma of the kernels exp(-gamma ||x - y||^2) that the MMD averages.
inline constexpr std::array<double, 6> mmd_gammas{2, 1, 0.5, 0.1, 0.01, 0.005};

struct KernelDistances {
    double mmd;  ///< mean over mmd_gammas of mean k(x, x) + mean k(y, y) - 2 mean k(x, y): biased, not a root
    double energy;  ///< 2 mean ||x - y|| - mean ||x - x'|| - mean ||y - y'||, over all pairs
};

/// Means over all pairs of two populations: of the kernels, summed over mmd_gammas, and of the distances.
struct KernelMeans {
    double kernel = 0;
    double distance = 0;
};

/// The means of a population with itself, which all comparisons with it share.
/// @throws as kernel_distances()
KernelMeans own_kernel_means(linalg::ConstMatrixView<float> x);

/// MMD and energy distance between two populations from one pass over their pairs.
///
/// Distances in fp32 from differences, whose rounding averages out; exponentials and sums in double. Products
/// by a matrix multiplication, ||x||^2 + ||y||^2 - 2 x y, would be faster in many markers, but what cancels
/// in them is of the size of the norms, and an MMD between similar populations is a small difference of means
/// of order one: six digits of it need the differences. Bits do not depend on the number of threads.
///
/// Shapes:  x [n, d], y [m, d].
/// Units:   mmd none, for markers in units in which the gammas mean something; energy those of the markers.
/// Source:  Gretton et al., "A kernel two-sample test", JMLR 13, 2012, eq. 5; Szekely and Rizzo, "Energy
///          statistics", J. Stat. Plan. Inference 143, 2013.
/// @throws core::ShapeMismatch if the populations differ in markers or one is empty
/// @throws core::NumericalError if a value is not finite or a squared distance overflows
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
/// The same with y's own means known.
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                                 const KernelMeans& of_y);

}  // namespace popflow::metrics
