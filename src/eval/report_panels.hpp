// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/comparison.hpp"
#include "eval/pair_figures.hpp"

namespace popflow::eval {

// Panels of the report page, as HTML; empty if there is nothing to show.

/// Loss over steps of every run of a comparison, one colour per row.
std::string training_panel(const std::vector<Results>& results, const Comparison& comparison);

/// Per pair the metric of the model over that of the unchanged control, coloured by treatment.
std::string scatter_panel(const std::vector<PairFigure>& pairs, const std::string& metric,
                          const std::string& label);

/// Metric of the model less that of the noise floor, mean over the pairs of each patient and treatment; as
/// dark as the share of `high` that it is.
std::string heat_panel(const std::vector<PairFigure>& pairs, const std::string& metric,
                       const std::string& label, double high);

/// Largest value of heat_panel().
double largest_excess(const std::vector<PairFigure>& pairs);

/// Embeddings of the control populations of one result file in two principal components, once for each of
/// patient, culture and part that has several values.
std::string embedding_panels(const Results& results, const std::string& label);

}  // namespace popflow::eval
