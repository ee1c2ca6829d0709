// SPDX-License-Identifier: MIT
#include "eval/set_comparison.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "core/cancellation.hpp"
#include "core/parallel_error.hpp"
#include "core/parallel_for.hpp"
#include "metrics/nearest_search.hpp"
#include "mpi/run_collectively.hpp"

namespace popflow::eval {

namespace {

using metrics::ComparedPopulation;
using metrics::ItemPair;
using metrics::PopulationDistance;
using PairFunction = metrics::DistanceBound;

// Thrown on all ranks together if a comparison is stopped.
struct Stopped {};

// Communicator of a comparison, and its request to stop.
struct Ranks {
    const mpi::Communicator& comm;
    const std::function<bool()>& stop;
};

// Computes a function of pairs on all ranks. One rank sets an element, so the sum over the ranks is exact.
std::vector<double> values_of_pairs(std::span<const ItemPair> pairs, PopulationDistance distance,
                                    std::span<const ComparedPopulation> populations, PairFunction function,
                                    const Ranks& ranks) {
    const mpi::Communicator& comm = ranks.comm;
    std::vector<double> values(pairs.size() + 1, 0.0);  // the last one counts the ranks that stop
    std::atomic<bool> stopped = false;
    const auto first = static_cast<std::size_t>(comm.rank());
    const auto step = static_cast<std::size_t>(comm.size());
    mpi::run_collectively(comm, [&] {
        core::ParallelError error;
        const std::atomic<bool>* flag = core::cancellation_flag();
        // A bound takes a microsecond, and there may be millions of them.
        const std::size_t own = pairs.size() / step;
        const auto chunk = static_cast<int>(
            std::clamp<std::size_t>(own / (32 * static_cast<std::size_t>(omp_get_max_threads())), 1, 64));
#pragma omp parallel for schedule(dynamic, chunk)
        for (std::size_t p = first; p < pairs.size(); p += step) {
            error.run([&] {
                const core::CancellationScope scope(flag);
                core::check_cancelled();
                if (ranks.stop && (stopped || ranks.stop())) {
                    stopped = true;
                    return;
                }
                values[p] = function(distance, populations[pairs[p].a], populations[pairs[p].b]);
            });
        }
        error.rethrow();
    });
    values.back() = stopped ? 1 : 0;
    comm.sum(std::span<double>(values));
    if (values.back() > 0) throw Stopped();
    values.pop_back();
    return values;
}

std::vector<ComparedPopulation> prepared(const ComparedSets& sets, PopulationDistance distance) {
    std::vector<const linalg::Matrix<float>*> cells;
    for (const auto& set : {sets.real, sets.generated, sets.training}) {
        for (const linalg::Matrix<float>& population : set) cells.push_back(&population);
    }
    std::vector<ComparedPopulation> populations(cells.size());
    core::parallel_for(cells.size(), [&](std::size_t i) {
        populations[i] = metrics::compared_population(distance, *cells[i], metrics::WithBounds::yes);
    });
    return populations;
}

// Returns the mean distance between real and generated populations of the same index.
double paired_mean(const metrics::SetSizes& sizes, const metrics::NearestSearch::PairValues& distances) {
    std::vector<ItemPair> pairs;
    for (std::size_t k = 0; k < std::min(sizes.real, sizes.generated); ++k)
        pairs.push_back({k, sizes.real + k});
    double sum = 0;
    for (const double distance : distances(pairs)) sum += distance;
    return sum / static_cast<double>(pairs.size());
}

SetComparison compare(const ComparedSets& sets, PopulationDistance distance, const SetOptions& options,
                      std::uint64_t seed, const Ranks& ranks) {
    const metrics::SetSizes sizes{sets.real.size(), sets.generated.size(), sets.training.size()};
    std::vector<ComparedPopulation> populations;
    mpi::run_collectively(ranks.comm, [&] { populations = prepared(sets, distance); });
    const auto values = [&](PairFunction function) {
        return [&, function](std::span<const ItemPair> pairs) {
            return values_of_pairs(pairs, distance, populations, function, ranks);
        };
    };
    std::vector<metrics::NearestSearch::PairValues> bounds;
    for (const metrics::DistanceBound bound : metrics::distance_bounds(distance))
        bounds.push_back(values(bound));
    metrics::NearestSearch search(populations.size(), values(&metrics::population_distance),
                                  std::move(bounds));
    SetComparison comparison{.distance = distance};
    comparison.scores = metrics::score_sets(sizes, search, options.permutations, seed);
    comparison.distances_computed = search.distances_computed();
    if (sets.is_paired) comparison.paired = paired_mean(sizes, values(&metrics::population_distance));
    return comparison;
}

}  // namespace

std::span<const SetMetric> set_metrics() {
    using metrics::SetScores;
    static constexpr std::array all{SetMetric{"nna", &SetScores::nna},
                                    SetMetric{"nna_real", &SetScores::nna_real},
                                    SetMetric{"nna_generated", &SetScores::nna_generated},
                                    SetMetric{"nnd", &SetScores::nnd},
                                    SetMetric{"p_value", &SetScores::p_value},
                                    SetMetric{"matching", &SetScores::matching},
                                    SetMetric{"coverage", &SetScores::coverage},
                                    SetMetric{"memorised", &SetScores::memorised, true},
                                    SetMetric{"training_ratio", &SetScores::training_ratio, true}};
    return all;
}

const std::vector<std::string>& set_metric_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const SetMetric& metric : set_metrics()) all.emplace_back(metric.name);
        return all;
    }();
    return names;
}

std::optional<std::vector<SetComparison>> compare_sets(const ComparedSets& sets, const SetOptions& options,
                                                       std::uint64_t seed, const mpi::Communicator& comm,
                                                       const std::function<bool()>& stop) {
    std::vector<SetComparison> comparisons;
    try {
        for (const PopulationDistance distance : options.distances)
            comparisons.push_back(compare(sets, distance, options, seed, {comm, stop}));
    } catch (const Stopped&) {
        return std::nullopt;
    }
    return comparisons;
}

}  // namespace popflow::eval
