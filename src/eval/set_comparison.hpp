// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "metrics/population_distance.hpp"
#include "metrics/set_scores.hpp"
#include "mpi/communicator.hpp"

namespace popflow::eval {

/// One score of a set of populations.
struct SetMetric {
    const char* name;
    double metrics::SetScores::*score;
    bool needs_training = false;  ///< whether it compares with the training populations
};

/// Returns all scores of sets, in the order of tables.
std::span<const SetMetric> set_metrics();
/// Names of set_metrics().
const std::vector<std::string>& set_metric_names();

/// Numbers of cells of the populations that an evaluation compares.
enum class SetCells {
    equal,  ///< that of the smallest population
    own,    ///< its own number, and for a generated one that of a random training population
};

/// Options of a comparison of two sets of populations.
struct SetOptions {
    std::vector<metrics::PopulationDistance> distances{
        metrics::PopulationDistance::w1, metrics::PopulationDistance::w2,
        metrics::PopulationDistance::chamfer, metrics::PopulationDistance::energy,
        metrics::PopulationDistance::bures};
    /// Maximum number of populations of a set that an evaluation draws.
    std::size_t max_populations = 256;
    SetCells cells = SetCells::equal;
    std::size_t permutations = 10000;  ///< number of permutations for the p-value, 0 for no p-value
    std::string training{};            ///< file with the training populations, empty for none
};

/// Populations of cells that are compared. Each matrix is [cells, markers].
struct ComparedSets {
    std::span<const linalg::Matrix<float>> real{};
    std::span<const linalg::Matrix<float>> generated{};
    std::span<const linalg::Matrix<float>> training{};  ///< may be empty
    /// Whether generated population k is a prediction of real population k, see SetComparison::paired.
    bool is_paired = false;
};

/// Scores for one distance.
struct SetComparison {
    metrics::PopulationDistance distance;
    metrics::SetScores scores{};
    /// Mean distance between each real population and its own prediction, NaN unless sets are paired.
    double paired = metrics::SetScores::none;
    std::size_t distances_computed = 0;  ///< number of pairs whose distance was computed
};

/// Compares two sets of populations. The distances are dealt over the threads of all ranks, and the result
/// does not depend on their numbers. Collective.
///
/// @param stop  called by the threads of each rank between distances. If it returns true on any rank, all
/// ranks stop. Empty for a comparison that cannot be stopped
/// @returns the comparisons, or nothing if it was stopped
/// @throws core::ShapeMismatch unless there are at least 2 real and 2 generated populations, and if they
/// differ in their number of markers
std::optional<std::vector<SetComparison>> compare_sets(const ComparedSets& sets, const SetOptions& options,
                                                       std::uint64_t seed, const mpi::Communicator& comm,
                                                       const std::function<bool()>& stop = {});

}  // namespace popflow::eval
