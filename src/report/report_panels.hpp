// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/pair_statistics.hpp"

namespace popflow::report {

// Panels of the report page, as HTML; empty if there is nothing to show.

/// Loss, norm of the gradient and learning rate over steps of every run of a comparison, one colour per row.
std::string training_panels(const std::vector<eval::Results>& results, const Comparison& comparison);

/// Per pair the metric of the model over that of the unchanged control, coloured by treatment, or by patient
/// if there is one treatment only.
std::string scatter_panel(const std::vector<PairStatistics>& pairs, const std::string& metric,
                          const std::string& label);

/// Metric of the model less that of the noise floor, mean over the pairs of each patient and treatment, of
/// each culture and treatment, and of each patient and culture, where there is more than one of either; as
/// dark as the share of `high` that it is.
std::string heat_panels(const std::vector<PairStatistics>& pairs, const std::string& metric,
                        const std::string& label, double high);

/// Largest value of heat_panels().
double largest_excess(const std::vector<PairStatistics>& pairs);

/// Embeddings of the control populations of one result file in two principal components, once for each of
/// patient, culture and part that has several values; and those of each pair, whose draw of cells is its
/// own, by treatment.
std::string embedding_panels(const eval::Results& results, const std::string& label);

}  // namespace popflow::report
