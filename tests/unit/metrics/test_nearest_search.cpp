// SPDX-License-Identifier: MIT
#include "metrics/nearest_search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>

#include "core/error.hpp"

using popflow::metrics::ItemPair;
using popflow::metrics::Nearest;
using popflow::metrics::NearestQuery;
using popflow::metrics::NearestSearch;

namespace {

// Points on a line, and the number of times that each distance was computed.
struct Line {
    std::vector<double> positions;
    std::multiset<std::pair<std::size_t, std::size_t>> computed{};

    NearestSearch::PairValues distances() {
        return [this](std::span<const ItemPair> pairs) {
            std::vector<double> values;
            for (const ItemPair& pair : pairs) {
                EXPECT_LT(pair.a, pair.b);
                computed.emplace(pair.a, pair.b);
                values.push_back(std::fabs(positions[pair.a] - positions[pair.b]));
            }
            return values;
        };
    }
    // Returns a share of each distance.
    NearestSearch::PairValues bounds(double share) const {
        return [this, share](std::span<const ItemPair> pairs) {
            std::vector<double> values;
            for (const ItemPair& pair : pairs)
                values.push_back(share * std::fabs(positions[pair.a] - positions[pair.b]));
            return values;
        };
    }
};

std::vector<NearestQuery> all_queries(std::size_t n) {
    std::vector<NearestQuery> queries;
    for (std::size_t i = 0; i < n; ++i) {
        NearestQuery query{i, {}};
        for (std::size_t j = 0; j < n; ++j) {
            if (j != i) query.candidates.push_back(j);
        }
        queries.push_back(query);
    }
    return queries;
}

std::vector<std::size_t> items(const std::vector<Nearest>& nearest) {
    std::vector<std::size_t> found;
    for (const Nearest& one : nearest) found.push_back(one.item);
    return found;
}

}  // namespace

TEST(NearestSearch, BoundsChangeTheNumberOfDistancesOnly) {
    Line plain{{0, 1, 5, 5.5, 9, 20, 21, 40}};
    NearestSearch all(8, plain.distances());
    const std::vector<std::size_t> expected{1, 0, 3, 2, 3, 6, 5, 6};
    EXPECT_EQ(items(all.find(all_queries(8))), expected);
    EXPECT_EQ(all.distances_computed(), 28U);

    Line bounded{plain.positions};
    NearestSearch pruned(8, bounded.distances(), {bounded.bounds(0.9)});
    EXPECT_EQ(items(pruned.find(all_queries(8))), expected);
    EXPECT_LT(pruned.distances_computed(), 12U);
    EXPECT_EQ(pruned.distances_computed(), bounded.computed.size());
}

TEST(NearestSearch, ComputesNoDistanceTwice) {
    Line line{{3, 1, 4, 1.5, 9, 2.6}};
    NearestSearch search(6, line.distances(), {line.bounds(0.3)});
    search.find(all_queries(6));
    search.find(all_queries(6));
    for (const auto& pair : line.computed) EXPECT_EQ(line.computed.count(pair), 1U);
}

TEST(NearestSearch, TheFirstOfEquallyNearItemsCounts) {
    for (const double share : {0.0, 0.5, 1.0}) {
        Line line{{2, 0, 4, 0, 4}};
        NearestSearch search(5, line.distances(), {line.bounds(share)});
        EXPECT_EQ(items(search.find(all_queries(5))), (std::vector<std::size_t>{1, 3, 4, 1, 2})) << share;
    }
}

TEST(NearestSearch, ALaterBoundIsComputedForFewCandidates) {
    std::vector<double> positions;
    for (int i = 0; i < 40; ++i) positions.push_back(i * i % 41 + 0.01 * i);
    Line plain{positions};
    NearestSearch all(40, plain.distances());
    Line bounded{positions};
    std::multiset<std::pair<std::size_t, std::size_t>> refined;
    const NearestSearch::PairValues fine = [&](std::span<const ItemPair> pairs) {
        for (const ItemPair& pair : pairs) refined.emplace(pair.a, pair.b);
        return bounded.bounds(0.95)(pairs);
    };
    NearestSearch pruned(40, bounded.distances(), {bounded.bounds(0.5), fine});
    EXPECT_EQ(items(pruned.find(all_queries(40))), items(all.find(all_queries(40))));
    EXPECT_LT(refined.size(), 40U * 39 / 4);
    EXPECT_LT(pruned.distances_computed(), 60U);
    for (const auto& pair : refined) EXPECT_EQ(refined.count(pair), 1U);
    EXPECT_EQ(items(pruned.find(all_queries(40))), items(all.find(all_queries(40))));
}

TEST(NearestSearch, RefusesADistanceThatIsNotANumber) {
    Line line{{0, NAN, 3}};
    NearestSearch search(3, line.distances());
    EXPECT_THROW(search.find(all_queries(3)), popflow::core::NumericalError);
}

TEST(NearestSearch, ALimitLeavesOutFartherItems) {
    Line line{{0, 2, 3}};
    NearestSearch search(3, line.distances(), {line.bounds(1)});
    const std::vector<NearestQuery> queries{{0, {1, 2}, 1.5}, {0, {1, 2}, 2}};
    const std::vector<Nearest> found = search.find(queries);
    EXPECT_EQ(found[0].item, Nearest::none);
    EXPECT_EQ(found[1].item, 1U);
    EXPECT_EQ(line.computed.size(), 1U);
}
