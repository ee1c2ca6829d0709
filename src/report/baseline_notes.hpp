// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/cluster_statistics.hpp"

namespace popflow::report {

/// Returns a p-value as text: `p = 0.0052` or `p < 0.001`.
std::string p_value_text(double p_value);

/// Returns the result of a comparison with a baseline in words, without its subject:
/// - `beats mean_shift in 14 of 18 pairs (p = 0.0052)`
/// - `loses to mean_shift in 12 of 18 pairs (p = 0.031)`, with the pairs on which the row is worse
/// - `shows no difference from mean_shift: better in 10 of 18 pairs (p = 0.62)`
/// - `is better than mean_shift in 14 of 18 pairs (no test with one patient)`
/// @param noun  see ClusterStatistics::noun()
std::string test_text(const std::string& baseline, const PairedTest& test, const std::string& noun);

/// Returns the notes below the tables that compare the models with the baselines that do not use the target,
/// except identity: mean_shift and moment_map.
///
/// One line for each model has the metric of the figures. One more line for each model and baseline has the
/// other metrics of the tables. With more than three models only the best one has these lines.
std::vector<std::string> baseline_notes(const Comparison& comparison, ClusterStatistics& statistics);

/// Returns the model with the best mean of a metric in a scope, nullptr without one.
const ComparisonRow* best_model(const Comparison& comparison, const Scope& scope, const std::string& metric);

}  // namespace popflow::report
