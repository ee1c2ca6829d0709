// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace popflow::report {

/// Scores of one pair over the seeds of a row.
struct PairStatistics {
    std::string name;  ///< name of the pair in `/pairs`
    std::string patient;
    std::string culture;
    std::string treatment;
    std::string part;
    /// Column by which the split holds out pairs, other than patient and treatment. Empty for none.
    std::string column{};
    std::string value{};  ///< value of the pair in this column
    std::map<std::string, SeedStatistics> by_predictor{};

    /// Returns the mean over seeds, NaN if the predictor has no score.
    double mean(const std::string& predictor) const;
};

/// Collects a metric of every pair of one part from the result files of a row. The pairs have the order of
/// the first file. A failed pair has no value.
std::vector<PairStatistics> pair_statistics(const std::vector<eval::Results>& results,
                                            const ComparisonRow& row, const std::string& part,
                                            const std::string& metric);

/// Part of the split and metric of the figures.
struct FigureScope {
    std::string part;
    std::string metric;
};

/// Returns the scope of the figures of a comparison: the test part if it has any, and the computed metric
/// with the lowest metrics::Metric::figure_rank. The metric is empty if there is none.
FigureScope figure_scope(const Comparison& comparison);

}  // namespace popflow::report
