// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "report/resampling.hpp"

namespace popflow::report {

/// Mean of scores as in a table: over the result files, of the mean over strata, of the mean over the scores
/// of a stratum. The strata of culture_mean are the cultures. Other means have a single stratum.
///
/// Each score belongs to a cluster, which is resampled as a whole.
class StratifiedMean {
  public:
    /// Adds the score of a pair. Ignores an undefined score (NaN).
    void add(std::size_t file, std::size_t stratum, std::size_t cluster, double score);

    /// Mean of the scores, NaN without any.
    double value() const;
    /// Returns the mean of each resample, NaN for a resample without a score. Leaves out empty strata and
    /// files. Shape: [bootstrap_resamples].
    std::vector<double> resampled(const Resamples& resamples) const;
    /// Returns what each cluster contributes to value(): the values add up to it.
    std::vector<double> contributions(std::size_t clusters) const;

  private:
    struct Cell {
        double sum = 0;
        double count = 0;
    };
    using Key = std::pair<std::size_t, std::size_t>;  ///< stratum and cluster
    using Cells = std::map<Key, Cell>;

    /// Files with the same number of scores in each cell. Their sums add up.
    struct Group {
        Cells cells;
        double files = 0;
    };
    std::vector<Group> groups() const;

    std::map<std::size_t, Cells> files_;
};

}  // namespace popflow::report
