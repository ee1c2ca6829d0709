// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/resampling.hpp"
#include "report/stratified_mean.hpp"

namespace popflow::report {

/// Paired comparison of a row with a baseline, over the pairs that have scores of both.
struct PairedTest {
    std::size_t wins = 0;      ///< pairs with a better score of the row, averaged over seeds
    std::size_t losses = 0;    ///< pairs with a worse score of the row
    std::size_t pairs = 0;     ///< pairs with a score of both. Scores that differ by rounding only are equal
    std::size_t clusters = 0;  ///< clusters of these pairs
    double gain = 0;           ///< mean difference of the scores, positive if the row is better
    double p_value = 0;        ///< sign_flip_p_value() of the clusters, NaN for fewer than two

    /// Returns whether the difference has a p-value below 0.05.
    bool is_significant() const { return p_value < 0.05; }
};

/// Statistics of a comparison over its clusters: the held-out units of the split, or else the experiments.
///
/// A split `COLUMN:VALUE` or `each:COLUMN` holds out the values of a column, such as patients. Other splits
/// hold out experiments. All pairs of a unit are resampled as a whole, because they share cells, controls or
/// donors. Keeps references to the constructor's arguments.
class ClusterStatistics {
  public:
    ClusterStatistics(const std::vector<eval::Results>& results, const Comparison& comparison);

    /// Noun for a cluster: the obs column by which the split holds out pairs, or `experiment`.
    const std::string& noun() const { return noun_; }
    /// Names of the predictors in the tables of pairs, in the order of eval::predictors().
    std::vector<std::string> predictors() const;
    /// Number of cultures of the pairs of a part.
    std::size_t cultures(const std::string& part) const;
    /// Number of clusters of a scope, 0 for results without a table of pairs.
    std::size_t clusters(const Scope& scope);
    /// Returns the resampled means of a row, empty with fewer than two clusters or without a score.
    std::vector<double> resampled(const ComparisonRow& row, const Scope& scope, const std::string& metric);
    /// Returns the 95 % interval of the mean of a row, nullopt where resampled() is empty.
    std::optional<Interval> interval(const ComparisonRow& row, const Scope& scope, const std::string& metric);
    /// Compares a row with a baseline of the same result files. The table of pairs is paired: both have the
    /// same cells.
    PairedTest test(const ComparisonRow& row, const std::string& baseline, const Scope& scope,
                    const std::string& metric);

  private:
    /// Rows of a table of pairs over which means are taken, by predictor.
    struct File {
        std::map<std::string, std::vector<std::size_t>> rows{};
        std::vector<std::string> cluster{};  ///< for each row of the table
    };
    /// Clusters of a scope.
    struct ScopeClusters {
        std::map<std::string, std::size_t> index{};  ///< by name
        std::shared_ptr<const Resamples> resamples{};
    };

    void read_file(std::size_t file);
    const ScopeClusters& scope_clusters(const Scope& scope);
    std::vector<std::size_t> scope_rows(std::size_t file, const std::string& predictor,
                                        const Scope& scope) const;
    std::size_t stratum(std::size_t file, std::size_t row, const Scope& scope);
    StratifiedMean mean(const ComparisonRow& row, const Scope& scope, const std::string& metric);

    const std::vector<eval::Results>& results_;
    const Comparison& comparison_;
    std::string noun_;
    std::map<std::size_t, File> files_;
    std::map<Scope, ScopeClusters> scopes_;
    std::map<std::size_t, std::shared_ptr<const Resamples>> resamples_;  ///< by number of clusters
    std::map<std::string, std::size_t> cultures_;                        ///< strata of culture_mean
};

}  // namespace popflow::report
