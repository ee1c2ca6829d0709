// SPDX-License-Identifier: MIT
#include "metrics/nearest_search.hpp"

#include <algorithm>
#include <cmath>
#include <queue>

#include "core/error.hpp"

namespace popflow::metrics {

namespace {

// Number of candidates of a query whose next bound is computed in one round. Several fill a round with work,
// and more would compute bounds that the next distance makes superfluous.
constexpr std::size_t bounds_per_round = 8;

ItemPair pair_of(std::size_t a, std::size_t b) {
    return {std::min(a, b), std::max(a, b)};
}

bool comes_before(const ItemPair& x, const ItemPair& y) {
    return x.a != y.a ? x.a < y.a : x.b < y.b;
}

}  // namespace

// Candidates of one query by what is known of them, and the nearest one so far.
struct NearestSearch::QueryState {
    struct Candidate {
        double value;
        std::size_t item;
        // Order of a queue whose top is the smallest.
        bool operator<(const Candidate& other) const {
            return value != other.value ? value > other.value : item > other.item;
        }
    };

    std::size_t item;
    std::priority_queue<Candidate> queue;
    Nearest nearest{};

    // Takes a candidate whose distance is known.
    void take(const Candidate& candidate) {
        if (candidate.value < nearest.distance ||
            (candidate.value == nearest.distance && candidate.item < nearest.item))
            nearest = {candidate.item, candidate.value};
    }
};

NearestSearch::NearestSearch(std::size_t items, PairValues distances, std::vector<PairValues> bounds)
    : stages_(std::move(bounds)), items_(items), known_(items) {
    stages_.push_back(std::move(distances));
}

NearestSearch::Known& NearestSearch::known(std::size_t a, std::size_t b) {
    const ItemPair pair = pair_of(a, b);
    std::vector<Known>& row = known_[pair.a];
    if (row.empty()) row.resize(items_ - pair.a);
    return row[pair.b - pair.a];
}

// Computes the value of a stage for the pairs. A pair may be listed several times.
void NearestSearch::compute_next(std::size_t stage, std::vector<ItemPair>& pairs) {
    if (pairs.empty()) return;
    std::ranges::sort(pairs, comes_before);
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    const std::vector<double> values = stages_[stage](pairs);
    const bool is_bound = stage + 1 < stages_.size();
    if (!is_bound) distances_computed_ += pairs.size();
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        // NaN would be smaller than no distance, and be asked for again without end.
        if (std::isnan(values[p])) throw core::NumericalError("nearest_search", "a distance is not a number");
        Known& own = known(pairs[p].a, pairs[p].b);
        own.value = is_bound ? std::max(own.value, values[p]) : values[p];
        own.stages = static_cast<std::uint8_t>(stage + 1);
    }
}

std::vector<Nearest> NearestSearch::find(std::span<const NearestQuery> queries) {
    std::vector<ItemPair> unknown;
    for (const NearestQuery& query : queries) {
        for (const std::size_t candidate : query.candidates) {
            if (known(query.item, candidate).stages == 0) unknown.push_back(pair_of(query.item, candidate));
        }
    }
    compute_next(0, unknown);

    std::vector<QueryState> states;
    for (const NearestQuery& query : queries) {
        std::vector<QueryState::Candidate> candidates;
        for (const std::size_t candidate : query.candidates)
            candidates.push_back({known(query.item, candidate).value, candidate});
        QueryState state{query.item, std::priority_queue<QueryState::Candidate>({}, std::move(candidates))};
        state.nearest.distance = query.limit;
        states.push_back(std::move(state));
    }
    while (true) {
        std::vector<std::vector<ItemPair>> wanted(stages_.size());
        for (QueryState& state : states) {
            std::vector<QueryState::Candidate> asked;
            while (!state.queue.empty() && asked.size() < bounds_per_round) {
                const QueryState::Candidate top = state.queue.top();
                if (top.value > state.nearest.distance) break;
                const Known& own = known(state.item, top.item);
                if (own.value > top.value) {
                    // Known better since it entered the queue.
                    state.queue.pop();
                    state.queue.push({own.value, top.item});
                    continue;
                }
                if (is_distance(own)) {
                    state.queue.pop();
                    state.take({own.value, top.item});
                    continue;
                }
                const bool wants_distance = own.stages + 1U == stages_.size();
                if (wants_distance && !asked.empty()) break;
                state.queue.pop();
                asked.push_back(top);
                wanted[own.stages].push_back(pair_of(state.item, top.item));
                if (wants_distance) break;
            }
            for (const QueryState::Candidate& candidate : asked) state.queue.push(candidate);
        }
        if (std::ranges::all_of(wanted, [](const auto& pairs) { return pairs.empty(); })) break;
        for (std::size_t stage = 0; stage < stages_.size(); ++stage) compute_next(stage, wanted[stage]);
    }
    std::vector<Nearest> found;
    for (const QueryState& state : states) found.push_back(state.nearest);
    return found;
}

}  // namespace popflow::metrics
