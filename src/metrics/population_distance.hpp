// SPDX-License-Identifier: MIT
#pragma once

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

/// A population, with the parts of its distances that do not depend on the other one.
struct ComparedPopulation {
    linalg::ConstMatrixView<float> cells;
    ot::GaussianMoments moments;  ///< empty unless the distance or its bound needs them
    double own_distance = 0;      ///< mean |x - x'| over all pairs, 0 unless the distance is `energy`
};

/// Returns the population with the parts that a distance needs.
///
/// Shape: cells [n, d], which must outlive the result.
/// @throws core::ShapeMismatch if there is no cell
/// @throws core::NumericalError if a value is not finite
ComparedPopulation compared_population(PopulationDistance distance, linalg::ConstMatrixView<float> cells);

/// Returns the distance between two populations. Thread-safe.
///
/// The value of (a, b) may differ from that of (b, a) by rounding.
/// @param a, b  results of compared_population() for the same distance
/// @throws core::ShapeMismatch if the populations differ in their number of markers
double population_distance(PopulationDistance distance, const ComparedPopulation& a,
                           const ComparedPopulation& b);

/// Whether distance_bound() is above 0 for a distance.
bool has_distance_bound(PopulationDistance distance);

/// Returns a lower bound on a distance that is cheap to compute, 0 if there is none. Thread-safe.
///
/// For `w1` it is the largest of |mean a - mean b| and the mean distance of the cells of one population to
/// the nearest cell of the other one, for either side. For `w2` it is the largest of the distance between the
/// Gaussians of the same moments, and the root of the mean squared distance to the nearest cell, for either
/// side. The bound is lowered by a relative 1e-5 and by the rounding error of the
/// moments.
/// @param a, b  as for population_distance()
double distance_bound(PopulationDistance distance, const ComparedPopulation& a, const ComparedPopulation& b);

}  // namespace popflow::metrics
