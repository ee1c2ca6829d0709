// SPDX-License-Identifier: MIT
#include "metrics/set_scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"

namespace popflow::metrics {

namespace {

// Items first, first + 1, ..., first + count - 1, without `except`.
std::vector<std::size_t> range(std::size_t first, std::size_t count, std::size_t except = Nearest::none) {
    std::vector<std::size_t> items;
    for (std::size_t i = first; i < first + count; ++i) {
        if (i != except) items.push_back(i);
    }
    return items;
}

// Returns whether the nearest neighbour of each item has the label of the item.
std::vector<std::size_t> same_labels(std::span<const std::size_t> neighbours,
                                     std::span<const std::uint8_t> labels) {
    std::vector<std::size_t> same(2, 0);
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
        if (labels[i] == labels[neighbours[i]]) ++same[labels[i]];
    }
    return same;
}

double permutation_p_value(std::span<const std::size_t> neighbours, std::size_t real,
                           std::size_t permutations, std::uint64_t seed) {
    const std::size_t n = neighbours.size();
    std::vector<std::uint8_t> labels(n, 1);
    std::fill_n(labels.begin(), real, std::uint8_t{0});
    const auto count = [&] {
        const std::vector<std::size_t> same = same_labels(neighbours, labels);
        return same[0] + same[1];
    };
    // Mean number of neighbours with the same label if labels are random. Twice the deviations from it,
    // times n - 1, are integers, so ties are exact.
    const auto r = static_cast<std::int64_t>(real);
    const auto all = static_cast<std::int64_t>(n);
    const std::int64_t mean = r * (r - 1) + (all - r) * (all - r - 1);
    const auto deviation = [&] { return std::abs(static_cast<std::int64_t>(count()) * (all - 1) - mean); };
    const std::int64_t observed = deviation();
    core::Stream stream(seed, core::Purpose::statistics, 3, n);
    double extreme = 0.5;  // the observed labels are one of the permutations
    for (std::size_t p = 0; p < permutations; ++p) {
        for (std::size_t i = n - 1; i > 0; --i) std::swap(labels[i], labels[stream.below(i + 1)]);
        const std::int64_t own = deviation();
        extreme += own > observed ? 1 : own == observed ? 0.5 : 0;
    }
    return extreme / static_cast<double>(permutations + 1);
}

double mean_distance(std::span<const Nearest> nearest) {
    double sum = 0;
    for (const Nearest& one : nearest) sum += one.distance;
    return sum / static_cast<double>(nearest.size());
}

}  // namespace

SetScores score_sets(const SetSizes& sizes, NearestSearch& search, std::size_t permutations,
                     std::uint64_t seed) {
    const std::size_t n = sizes.real;
    const std::size_t m = sizes.generated;
    if (n < 2 || m < 2)
        throw core::ShapeMismatch("score_sets", "[at least 2 real, at least 2 generated]", n, m);
    const auto in_real = [&](std::size_t i) { return i < n; };

    // Nearest of the other set.
    std::vector<NearestQuery> across;
    for (std::size_t i = 0; i < n + m; ++i) across.push_back({i, in_real(i) ? range(n, m) : range(0, n)});
    const std::vector<Nearest> other = search.find(across);
    // Nearest of the own set, if it is as near as that.
    std::vector<NearestQuery> within;
    for (std::size_t i = 0; i < n + m; ++i)
        within.push_back({i, in_real(i) ? range(0, n, i) : range(n, m, i), other[i].distance});
    const std::vector<Nearest> own = search.find(within);

    std::vector<std::size_t> neighbours;
    std::vector<std::uint8_t> labels;
    for (std::size_t i = 0; i < n + m; ++i) {
        // Among equally near populations the first one counts.
        const bool is_own =
            own[i].item != Nearest::none && (own[i].distance < other[i].distance || in_real(i));
        neighbours.push_back(is_own ? own[i].item : other[i].item);
        labels.push_back(in_real(i) ? 0 : 1);
    }
    const std::vector<std::size_t> same = same_labels(neighbours, labels);
    SetScores scores;
    scores.nna = static_cast<double>(same[0] + same[1]) / static_cast<double>(n + m);
    scores.nna_real = static_cast<double>(same[0]) / static_cast<double>(n);
    scores.nna_generated = static_cast<double>(same[1]) / static_cast<double>(m);
    scores.nnd = (std::fabs(scores.nna_real - 0.5) + std::fabs(scores.nna_generated - 0.5)) / 2;
    if (permutations > 0) scores.p_value = permutation_p_value(neighbours, n, permutations, seed);
    scores.matching = mean_distance(std::span(other).first(n));
    std::set<std::size_t> hit;
    for (std::size_t g = n; g < n + m; ++g) hit.insert(other[g].item);
    scores.coverage = static_cast<double>(hit.size()) / static_cast<double>(n);

    if (sizes.training == 0) return scores;
    std::vector<NearestQuery> to_training;
    for (std::size_t i = 0; i < n + m; ++i) to_training.push_back({i, range(n + m, sizes.training)});
    const std::vector<Nearest> training = search.find(to_training);
    std::size_t copies = 0;
    for (std::size_t g = n; g < n + m; ++g) copies += training[g].distance < other[g].distance ? 1 : 0;
    scores.memorised = static_cast<double>(copies) / static_cast<double>(m);
    scores.training_ratio =
        mean_distance(std::span(training).subspan(n)) / mean_distance(std::span(training).first(n));
    return scores;
}

}  // namespace popflow::metrics
