// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <limits>

#include "linalg/matrix.hpp"

namespace popflow::metrics {

/// Parameters gamma of the Gaussian kernels exp(-gamma ||x - y||^2) that the MMD averages.
inline constexpr std::array<double, 6> mmd_gammas{2, 1, 0.5, 0.1, 0.01, 0.005};

/// Parameters of the kernels of the scaled MMD, relative to the inverse median squared distance between the
/// cells of the true population: gamma = scale / median. Each is twice the next smaller one.
inline constexpr std::array<double, 5> mmd_scales{4, 2, 1, 0.5, 0.25};
/// Maximum number of true cells whose distances enter the median.
inline constexpr std::size_t max_median_cells = 1000;

struct KernelDistances {
    /// Biased estimate of the squared MMD, averaged over mmd_gammas:
    /// mean k(x, x) + mean k(y, y) - 2 mean k(x, y).
    double mmd;
    double energy;  ///< 2 mean ||x - y|| - mean ||x - x'|| - mean ||y - y'||, over all pairs
    /// Same as `mmd`, averaged over the kernels that are scaled to the data. NaN without an inverse scale.
    double mmd_scaled = std::numeric_limits<double>::quiet_NaN();
};

/// Means of the kernels and distances over all pairs of two populations.
struct KernelMeans {
    double kernel = 0;    ///< mean of the sum of k over mmd_gammas
    double distance = 0;  ///< mean Euclidean distance
    double scaled = 0;    ///< mean of the sum of k over mmd_scales, with the parameters below
    /// 1 / median squared distance of the true population. 0: the scaled kernels are not computed.
    double inverse_scale = 0;
};

/// Returns the inverse of the median squared distance between distinct cells, for KernelMeans::inverse_scale.
///
/// Takes the distances between at most max_median_cells cells: all, or evenly spaced rows. The median of an
/// even number of distances is the mean of the two in the middle. If it is zero, because most cells are
/// equal, the mean takes its place.
///
/// Shapes:  truth [m, d].
/// Source:  Gretton et al., "A kernel two-sample test", JMLR 13, 2012, section 8, which takes the median
///          distance as the width. Several widths around it: Long et al., "Learning transferable features
///          with deep adaptation networks", ICML 2015. The distances of the truth alone, so that all
///          predictions for it are compared with the same kernels.
/// @return 0 if all distances are zero, or there is one cell
/// @throws as kernel_distances()
double inverse_median_distance(linalg::ConstMatrixView<float> truth);

/// Returns whether an MMD with fixed kernels says nothing about the populations: all kernels between distinct
/// cells are nearly zero, so it is within 1 % of 1 / n + 1 / m, for any two populations of n and m cells.
bool is_mmd_constant(double mmd, std::size_t n, std::size_t m);

/// Returns the means of a population with itself. All comparisons with the population can share them.
/// @param inverse_scale  see KernelMeans
/// @throws as kernel_distances()
KernelMeans own_kernel_means(linalg::ConstMatrixView<float> x, double inverse_scale = 0);

/// Returns both MMDs and the energy distance between two populations from one pass over their pairs.
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
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                                 double inverse_scale = 0);
/// Same, with own_kernel_means(y) already computed. Its inverse scale is used.
KernelDistances kernel_distances(linalg::ConstMatrixView<float> x, linalg::ConstMatrixView<float> y,
                                 const KernelMeans& y_means);

}  // namespace popflow::metrics
