// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "core/option_effect.hpp"
#include "eval/results.hpp"
#include "report/published.hpp"

namespace popflow::report {

enum class ReportFormat { text, markdown, csv, latex, html };

/// Names of the formats, in the order of ReportFormat.
const std::vector<std::string>& report_format_names();

/// Returns the tables of any number of result files in the published layout.
///
/// - Rows: one per method, base and k, then the baselines. See compare().
/// - Columns: the metrics with Metric::is_in_tables, or all if none of these was computed.
/// - Values: mean over seeds and standard deviation. The deviation is omitted if all seeds are equal. The
/// line
///   below has the 95 % interval over the clusters, see ClusterStatistics.
/// - A clear best value of a column is marked, see tables(), `*` in text and bold in other formats.
/// - Notes compare the models with the baselines, see baseline_notes().
///
/// Result files of different splits or data form separate sections. Formats:
/// - Text has every part and culture.
/// - Markdown and LaTeX have the published aggregation of each part, and the groups of another grouping than
///   the default.
/// - CSV is tidy: one line per row, part, aggregation and metric, in full precision and in the units of
///   `/summary`.
/// - HTML is a complete page with plots (report_page()).
///
/// @param effects  effects of the options, see compare()
/// @param published  values to show below the measured ones, may be nullptr
std::string report(const std::vector<eval::Results>& results, const core::OptionEffects& effects,
                   ReportFormat format, const PublishedTable* published = nullptr);

/// Returns report() in the text format.
std::string report_text(const std::vector<eval::Results>& results, const core::OptionEffects& effects);

}  // namespace popflow::report
