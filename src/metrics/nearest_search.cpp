// SPDX-License-Identifier: MIT
#include "metrics/nearest_search.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace popflow::metrics {

namespace {

ItemPair pair_of(std::size_t a, std::size_t b) {
    return {std::min(a, b), std::max(a, b)};
}

void store(std::span<const ItemPair> pairs, std::span<const double> values, linalg::Matrix<double>& matrix) {
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        // NaN would count as unknown, and be asked for again without end.
        if (std::isnan(values[p])) throw core::NumericalError("nearest_search", "a distance is not a number");
        matrix(pairs[p].a, pairs[p].b) = values[p];
        matrix(pairs[p].b, pairs[p].a) = values[p];
    }
}

// Candidates of one query by their bounds, and the nearest one so far.
struct QueryState {
    std::size_t item;
    std::vector<std::size_t> order;  // candidates, smallest bound first
    std::size_t next = 0;            // position in `order`
    Nearest nearest{};

    // Takes a candidate whose distance is known.
    void take(std::size_t candidate, double distance) {
        if (distance < nearest.distance || (distance == nearest.distance && candidate < nearest.item))
            nearest = {candidate, distance};
    }
};

}  // namespace

NearestSearch::NearestSearch(std::size_t items, PairValues distances, PairValues bounds)
    : compute_distances_(std::move(distances)),
      compute_bounds_(std::move(bounds)),
      distances_(items, items),
      bounds_(items, items) {
    distances_.fill(std::numeric_limits<double>::quiet_NaN());
    bounds_.fill(compute_bounds_ ? std::numeric_limits<double>::quiet_NaN() : 0);
}

void NearestSearch::compute_all(std::span<const NearestQuery> queries, linalg::Matrix<double>& values,
                                const PairValues& compute) {
    std::vector<ItemPair> pairs;
    for (const NearestQuery& query : queries) {
        for (const std::size_t candidate : query.candidates) {
            const ItemPair pair = pair_of(query.item, candidate);
            if (!std::isnan(values(pair.a, pair.b))) continue;
            values(pair.a, pair.b) = 0;  // in the list
            pairs.push_back(pair);
        }
    }
    if (&values == &distances_) distances_computed_ += pairs.size();
    store(pairs, compute(pairs), values);
}

std::vector<Nearest> NearestSearch::find(std::span<const NearestQuery> queries) {
    if (compute_bounds_)
        compute_all(queries, bounds_, compute_bounds_);
    else
        compute_all(queries, distances_, compute_distances_);
    std::vector<QueryState> states;
    for (const NearestQuery& query : queries) {
        QueryState state{query.item, query.candidates};
        state.nearest.distance = query.limit;
        std::ranges::stable_sort(state.order, {}, [&](std::size_t c) { return bounds_(query.item, c); });
        states.push_back(std::move(state));
    }
    while (true) {
        std::vector<ItemPair> wanted;
        for (QueryState& state : states) {
            for (; state.next < state.order.size(); ++state.next) {
                const std::size_t candidate = state.order[state.next];
                if (bounds_(state.item, candidate) > state.nearest.distance) {
                    state.next = state.order.size();
                    break;
                }
                const double distance = distances_(state.item, candidate);
                if (std::isnan(distance)) break;
                state.take(candidate, distance);
            }
            if (state.next < state.order.size())
                wanted.push_back(pair_of(state.item, state.order[state.next]));
        }
        if (wanted.empty()) break;
        std::ranges::sort(
            wanted, [](const ItemPair& x, const ItemPair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
        distances_computed_ += wanted.size();
        store(wanted, compute_distances_(wanted), distances_);
    }
    std::vector<Nearest> found;
    for (const QueryState& state : states) found.push_back(state.nearest);
    return found;
}

}  // namespace popflow::metrics
