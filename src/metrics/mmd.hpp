// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Parameters gamma of the Gaussian kernels exp(-gamma ||x - y||^2) that the MMD averages.
inline constexpr std::array<double, 6> mmd_gammas{2, 1, 0.5, 0.1, 0.01, 0.005};

struct KernelDistances {
    /// Biased estimate of the squared MMD, averaged over mmd_gammas:
    /// mean k(x, x) + mean k(y, y) - 2 mean k(x, y).
    double mmd;
    double energy;  ///< 2 mean ||x - y|| - mean ||x - x'|| - mean ||y - y'||, over all pairs
};

/// Means of the kernels and distances over all pairs of two populations.
struct KernelMeans {
    double kernel = 0;    ///< mean of the sum of k over mmd_gammas
    double distance = 0;  ///< mean Euclidean distance
};

/// Returns the means of a population with itself. All comparisons with the population can share them.
/// @throws as kernel_distances()
KernelMeans own_kernel_means(linalg::ConstMatrixView<float> x);

/// Returns the MMD and the energy distance between two populations from one pass over their pairs.
///
/// Squared distances are sums of squared differences in fp32, whose rounding errors average out. Exponentials
/// and sums are computed in double. A matrix multiplication, ||x||^2 + ||y||^2 - 2 x y, would be faster with
/// many markers. It would lose digits to cancellation of terms as large as the norms. An MMD between similar
/// populations is a small difference between means of order one. Six digits of it need the differences.
///
/// Deterministic: the result does not depend on the number of threads.
///
/// Shapes:  x [n, d], y [m, d].
/// Units:   mmd is dimensionless, but assumes that the markers are scaled to suit the gammas. energy has the
///          units of the markers.
/// Source:  Gretton et al., "A kernel two-sample test", JMLR 13, 2012, eq. 5. Szekely and Rizzo, "Energy
///          statistics", J. Stat. Plan. Inference 143, 2013.
/// @throws core::ShapeMismatch if the populations differ in their number of markers or one is empty
/// @throws core::NumericalError if a value is not finite or a squared distance overflows
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y);
/// Same, with own_kernel_means(y) already computed.
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                                 const KernelMeans& y_means);

}  // namespace popflow::metrics
