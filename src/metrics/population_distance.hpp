// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "ot/bures.hpp"

namespace popflow::metrics {

/// Distance between two populations.
enum class PopulationDistance {
    w1,       ///< wasserstein1(), exact
    w2,       ///< wasserstein2(), exact
    chamfer,  ///< mean squared distance to the nearest cell of the other population, added for both sides
    energy,   ///< 2 mean |x - y| - mean |x - x'| - mean |y - y'|
    bures,    ///< W2 between the Gaussians with the moments of the populations
};

/// Names of the distances, in the order of the enumeration.
const std::vector<std::string>& population_distance_names();

/// Whether lower bounds on a distance are prepared, see distance_bounds().
enum class WithBounds { no, yes };

/// A population, with the parts of its distances that do not depend on the other one.
struct ComparedPopulation {
    linalg::ConstMatrixView<float> cells;
    ot::GaussianMoments moments{};  ///< empty unless the distance or its bounds need them
    double own_distance = 0;        ///< mean |x - x'| over all pairs, 0 unless the distance is `energy`
    /// Coordinates of the cells along the axes of some orthonormal bases, [bases d, n], each row sorted.
    /// Empty without bounds.
    linalg::Matrix<float> marginals{};
    double radius = 0;  ///< largest |x|, 0 without bounds
};

/// Returns the population with the parts that a distance needs.
///
/// Shape: cells [n, d], which must outlive the result.
/// @throws core::ShapeMismatch if there is no cell
/// @throws core::NumericalError if a value is not finite
ComparedPopulation compared_population(PopulationDistance distance, linalg::ConstMatrixView<float> cells,
                                       WithBounds bounds = WithBounds::no);

/// Returns the distance between two populations. Thread-safe.
///
/// The value of (a, b) may differ from that of (b, a) by rounding.
/// @param a, b  results of compared_population() for the same distance
/// @throws core::ShapeMismatch if the populations differ in their number of markers
double population_distance(PopulationDistance distance, const ComparedPopulation& a,
                           const ComparedPopulation& b);

/// Function of two populations that were prepared with bounds.
using DistanceBound = double (*)(PopulationDistance, const ComparedPopulation&, const ComparedPopulation&);

/// Returns lower bounds on a distance, the cheapest first. Empty for a distance without bounds. Thread-safe.
std::span<const DistanceBound> distance_bounds(PopulationDistance distance);

/// Returns a lower bound on `w1` or `w2` in O(n d): the root of the sum over the axes of an orthonormal basis
/// of W1^2 or W2^2 between the coordinates. It is the largest over some bases. Lowered by a relative 1e-5 and
/// by the rounding errors.
///
/// For W1 this is |E v| <= E |v| with v_j = |x_j - y_j|, for W2 the sum of the squared costs along the axes.
double marginal_bound(PopulationDistance distance, const ComparedPopulation& a, const ComparedPopulation& b);

/// Returns a lower bound on `w1` or `w2` in O(n^2 d).
///
/// For `w1` it is the mean distance of the cells of one population to the nearest cell of the other one, the
/// larger of the two sides. For `w2` it is the largest of the distance between the Gaussians of the same
/// moments, and the root of the mean squared distance to the nearest cell, for either side. Lowered as
/// marginal_bound().
double nearest_cell_bound(PopulationDistance distance, const ComparedPopulation& a,
                          const ComparedPopulation& b);

}  // namespace popflow::metrics
