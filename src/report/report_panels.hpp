// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/pair_statistics.hpp"

namespace popflow::report {

// Panels of the report page as HTML. A panel without data is empty.

/// Returns line charts of the loss, gradient norm and learning rate over the steps of every run, one colour
/// per row.
std::string training_panels(const std::vector<eval::Results>& results, const Comparison& comparison);

/// Returns a scatter chart of the metric of the model over that of the unchanged control, one point per pair.
/// The colour is the treatment, or the patient if there is only one treatment.
std::string scatter_panel(const std::vector<PairStatistics>& pairs, const std::string& metric,
                          const std::string& label);

/// Returns heat maps of the metric of the model minus that of the noise floor.
///
/// Rows and columns: patient by treatment, culture by treatment, patient by culture. A cell is the mean over
/// its pairs. Maps after the first one need several rows and columns.
/// @param high  value of the darkest shade
std::string heat_panels(const std::vector<PairStatistics>& pairs, const std::string& metric,
                        const std::string& label, double high);

/// Returns the largest value of heat_panels(), at least 0.
double largest_excess(const std::vector<PairStatistics>& pairs);

/// Returns scatter charts of the embeddings of the control populations of one result file in two principal
/// components. There is one chart for each of patient, culture and part that has several values.
std::string embedding_panels(const eval::Results& results, const std::string& label);

}  // namespace popflow::report
