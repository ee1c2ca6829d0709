// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/figure.hpp"
#include "report/pair_statistics.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

// Figures of a comparison. A function without data returns none.

/// Returns line charts of the loss, gradient norm and learning rate over the steps of every run, one colour
/// per row. Methods with different losses have charts of their own.
std::vector<Figure> training_figures(const std::vector<eval::Results>& results, const Comparison& comparison);

/// Returns a scatter chart of the metric of the model over that of a baseline, one point per pair. The colour
/// is the treatment, or the patient if there is only one treatment.
/// @param note  line below the chart
std::vector<Figure> scatter_figures(const std::vector<PairStatistics>& pairs, const std::string& metric,
                                    const std::string& label, const std::string& baseline,
                                    const std::string& note);

/// Returns heat maps of the metric of the model minus that of the noise floor.
///
/// Rows and columns: patient by treatment, culture by treatment, patient by culture. A cell is the mean over
/// its pairs. Maps after the first one need several rows and columns.
/// @param high  value of the darkest shade
std::vector<Figure> heat_figures(const std::vector<PairStatistics>& pairs, const std::string& metric,
                                 const std::string& label, double high, const RoleColumns& columns_by_role);

/// Returns the largest value of heat_figures(), at least 0.
double largest_excess(const std::vector<PairStatistics>& pairs);

/// Returns scatter charts of the embeddings of the control populations of one result file in two principal
/// components of all of them. Populations that were not trained on are outlined. There is one chart for each
/// of part, patient and culture that has several values.
std::vector<Figure> embedding_figures(const eval::Results& results, const std::string& label,
                                      const RoleColumns& columns);

}  // namespace popflow::report
