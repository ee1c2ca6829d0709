// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/results.hpp"
#include "report/published.hpp"

namespace popflow::report {

enum class ReportFormat { text, markdown, csv, latex, html };

/// Names of the formats, in their order.
const std::vector<std::string>& report_format_names();

/// Tables of any number of result files in the published layout: a row per method, base and k, then the
/// baselines; the columns W1, W2, MMD x 1000, r2 and energy distance; the mean over seeds with its standard
/// deviation behind it unless all are equal.
///
/// The best of a column is marked (`*` in text, else bold), the oracle and the noise floor apart. Result
/// files of different splits or data make sections of their own; see compare() for what makes a row. Text
/// holds every part and culture, Markdown and LaTeX the published aggregation of each part. CSV is tidy, one
/// line per row, part, aggregation and metric, in full precision and in the units of `/summary`.
/// HTML is a page of its own, with plots (report_page()).
/// @param published  figures to show under one's own; may be nullptr
std::string report(const std::vector<eval::Results>& results, ReportFormat format,
                   const PublishedTable* published = nullptr);

/// report() as text.
std::string report_text(const std::vector<eval::Results>& results);

}  // namespace popflow::report
