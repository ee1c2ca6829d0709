// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

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
/// Works in rounds. In each one every query asks for its candidate with the smallest bound whose distance is
/// not known, unless the bound exceeds the smallest known distance. The distances of a round are computed
/// together, so that threads and ranks can share them. A distance is computed once, whatever the number of
/// queries that need it. Among equally near candidates the first one counts, so the result is that of a
/// search over all pairs.
class NearestSearch {
  public:
    /// Returns the values of some pairs.
    using PairValues = std::function<std::vector<double>(std::span<const ItemPair>)>;

    /// @param items  number of items
    /// @param distances  computes distances
    /// @param bounds  computes lower bounds, null if there are none. All distances that a search may need are
    /// then computed in one round.
    NearestSearch(std::size_t items, PairValues distances, PairValues bounds = nullptr);

    /// Returns the nearest candidate of each query.
    /// @throws core::NumericalError if a distance or a bound is NaN
    std::vector<Nearest> find(std::span<const NearestQuery> queries);
    /// Number of distances that were computed so far.
    std::size_t distances_computed() const { return distances_computed_; }

  private:
    void compute_all(std::span<const NearestQuery> queries, linalg::Matrix<double>& values,
                     const PairValues& compute);

    PairValues compute_distances_;
    PairValues compute_bounds_;
    linalg::Matrix<double> distances_;  // [items, items], NaN if unknown
    linalg::Matrix<double> bounds_;     // the same
    std::size_t distances_computed_ = 0;
};

}  // namespace popflow::metrics
