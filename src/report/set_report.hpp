// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eval/set_results.hpp"
#include "report/figure.hpp"
#include "report/report.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns 1-NNA in percent, one row per predictor and one column per distance, in the layout of the
/// literature on generated point clouds.
/// @param label  one of the labels of the file
Table nearest_neighbour_table(const eval::SetResults& results, const std::string& label);

/// Returns all scores of one label for one distance, a row per predictor.
Table set_score_table(const eval::SetResults& results, const std::string& label, const std::string& distance);

/// Returns the figures of the samples of a file. For each label: held-out and generated populations side by
/// side, and one generated population at several flow times. More than two markers are shown as principal
/// components.
std::vector<Figure> set_figures(const eval::SetResults& results);

/// Returns the figures of all files, each with a unique file name without its extension.
std::vector<std::pair<std::string, Figure>> named_set_figures(const std::vector<eval::SetResults>& results);

/// Returns a report of result files of generated populations, one after the other. CSV is tidy: one line per
/// label, predictor, distance and score, in full precision. HTML is a complete page with set_figures().
std::string set_report(const std::vector<eval::SetResults>& results, ReportFormat format);

}  // namespace popflow::report
