// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "core/random.hpp"
#include "models/family.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::models {

/// Law of random Gaussians, from which a flow over Gaussians starts.
///
/// Means: independent normal numbers with the mean and the standard deviation of the training means, marker
/// by marker. Covariances: R (W / f) R + ridge with the symmetric root R of the Bures barycentre of the
/// training covariances and a Wishart matrix W of f = 5 d degrees of freedom. The ridge is 1e-3 of the mean
/// variance, so that optimal maps from the noise are bounded.
///
/// Source: the noise of Haviv, Pooladian, Pe'er and Amos, "Wasserstein flow matching", ICML 2025. Deviations:
/// the mean, the spread of each marker and the barycentre take the place of zero, one spread and a multiple
/// of the identity.
struct GaussianNoise {
    std::vector<double> mean;     ///< [d] mean of the means
    std::vector<double> spread;   ///< [d] standard deviation of the means
    linalg::Matrix<double> root;  ///< [d, d] R
    double ridge = 0;             ///< added to the variances

    /// Draws a Gaussian with the root of its covariance. Random: d + 5 d^2 normal numbers.
    ot::GaussianMoments draw(core::Stream& stream) const;
};

/// Returns the law for some training populations.
/// @param spread  factor of the standard deviations of the means
/// @throws core::ShapeMismatch if there is no population
/// @throws core::NumericalError if no population has any spread
GaussianNoise fit_gaussian_noise(std::span<const ot::GaussianMoments> populations, double spread);

/// Returns a law with the barycentre N(0, I) and means of unit variance, a placeholder for a model without
/// populations.
GaussianNoise standard_noise(std::size_t d);

/// Returns a matrix among the constants of a model. @throws core::ShapeMismatch if it is missing or has
/// another shape
const linalg::Matrix<float>& stored_matrix(const Constants& constants, const char* name, std::size_t rows,
                                           std::size_t cols);

/// Stores a law among the constants of a model, as `noise_mean`, `noise_spread`, `noise_root` and
/// `noise_ridge`.
void store_gaussian_noise(const GaussianNoise& noise, Constants& constants);
/// Reads what store_gaussian_noise() has stored.
/// @throws core::ShapeMismatch unless the law has d markers
GaussianNoise stored_gaussian_noise(const Constants& constants, std::size_t d);

}  // namespace popflow::models
