// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace popflow::report {

/// Scores of one pair over the seeds of a model.
struct PairStatistics {
    std::string name;  ///< as in `/pairs`
    std::string patient;
    std::string culture;
    std::string treatment;
    std::string part;
    std::map<std::string, SeedStatistics> by_predictor{};

    /// NaN if the predictor has no score.
    double mean(const std::string& predictor) const;
};

/// The metric of every pair of one part in the result files of a row, in the order of the first file. Pairs
/// that failed have no figure.
std::vector<PairStatistics> pair_statistics(const std::vector<eval::Results>& results,
                                            const ComparisonRow& row, const std::string& part,
                                            const std::string& metric);

/// Distinct labels, sorted as people do: numbers within them by size.
std::vector<std::string> sorted_labels(std::vector<std::string> labels);

}  // namespace popflow::report
