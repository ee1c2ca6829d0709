// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace popflow::metrics {

/// Two items, a < b.
struct ItemPair {
    std::size_t a = 0;
    std::size_t b = 0;

    bool operator==(const ItemPair&) const = default;
};

/// Item that is nearest to another one.
struct Nearest {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t item = none;  ///< `none` if no candidate is as near as NearestQuery::limit
    double distance = std::numeric_limits<double>::infinity();
};

/// Which of the candidates is nearest to an item.
struct NearestQuery {
    std::size_t item = 0;
    std::vector<std::size_t> candidates;                     ///< other items, in increasing order
    double limit = std::numeric_limits<double>::infinity();  ///< candidates beyond it are not wanted
};

/// Finds nearest items, and computes few distances if lower bounds on them are known.
///
/// Works in rounds. In each one every query asks for the next bound, or the distance, of its candidates with
/// the smallest bounds, until these exceed the smallest known distance. The values of a round are computed
/// together, so that threads and ranks can share them. A value is computed once, whatever the number of
/// queries that need it. Among equally near candidates the first one counts, so the result is that of a
/// search over all pairs.
class NearestSearch {
  public:
    /// Returns the values of some pairs.
    using PairValues = std::function<std::vector<double>(std::span<const ItemPair>)>;

    /// @param items  number of items
    /// @param distances  computes distances
    /// @param bounds  compute lower bounds, the cheapest first. The first one is computed for all candidates.
    /// Without bounds, all distances that a search may need are computed in one round.
    NearestSearch(std::size_t items, PairValues distances, std::vector<PairValues> bounds = {});

    /// Returns the nearest candidate of each query.
    /// @throws core::NumericalError if a distance or a bound is NaN
    std::vector<Nearest> find(std::span<const NearestQuery> queries);
    /// Number of distances that were computed so far.
    std::size_t distances_computed() const { return distances_computed_; }

  private:
    // State of a pair: the largest of its first bounds, or its distance after all of them.
    struct Known {
        double value = 0;
        std::uint8_t stages = 0;  // number of values computed
    };
    struct QueryState;

    bool is_distance(const Known& known) const { return known.stages == stages_.size(); }
    Known& known(std::size_t a, std::size_t b);
    void compute_next(std::size_t stage, std::vector<ItemPair>& pairs);

    std::vector<PairValues> stages_;  // the bounds, then the distance
    std::size_t items_;
    std::vector<std::vector<Known>> known_;  // row a has the items after a, and is empty until it is needed
    std::size_t distances_computed_ = 0;
};

}  // namespace popflow::metrics
