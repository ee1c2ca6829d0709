// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "metrics/nearest_search.hpp"

namespace popflow::metrics {

/// Sizes of the sets that are compared. The items of a search are numbered in this order.
struct SetSizes {
    std::size_t real = 0;       ///< n reference populations
    std::size_t generated = 0;  ///< m generated populations
    std::size_t training = 0;   ///< populations that the generator has seen, 0 without them
};

/// Scores of a set of generated populations against a set of real ones, for one distance D.
struct SetScores {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    /// 1-NNA: share of all populations whose nearest other one, real or generated, is of the same set. 0.5 is
    /// best. Above, the sets differ. Below, generated populations sit on real ones.
    double nna = none;
    double nna_real = none;       ///< the same share among the real populations
    double nna_generated = none;  ///< the same share among the generated populations
    /// 1-NN-D = (|nna_real - 1/2| + |nna_generated - 1/2|) / 2. 0 is best, 0.5 worst.
    double nnd = none;
    /// Probability of a 1-NNA that is as far from its mean under random labels. Ties count by half.
    double p_value = none;
    double matching = none;  ///< mean over the real populations of D to the nearest generated one
    double coverage = none;  ///< share of the real populations that are nearest to a generated one
    /// Share of the generated populations whose nearest one among training and real ones is a training one.
    double memorised = none;
    /// Mean D of the generated populations to the nearest training one, relative to that of the real ones.
    /// Well below 1, the generated populations are copies.
    double training_ratio = none;
};

/// Scores sets of populations by nearest neighbours.
///
/// The p-value comes from random permutations of the labels over the fixed nearest neighbours. Its random
/// numbers depend on `seed` and the sizes alone.
///
/// Source:  1-NNA: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017. Matching (there
///          MMD) and coverage: Achlioptas et al., "Learning representations and generative models for 3D
///          point clouds", ICML 2018. All three for point clouds: Yang et al., "PointFlow", ICCV 2019.
/// @param search  over all items, see SetSizes
/// @throws core::ShapeMismatch unless there are at least 2 real and 2 generated populations
SetScores score_sets(const SetSizes& sizes, NearestSearch& search, std::size_t permutations,
                     std::uint64_t seed);

}  // namespace popflow::metrics
