// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "report/cluster_statistics.hpp"
#include "report/comparison.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns a table as text with aligned columns. A table of more than Table::max_width characters is broken
/// into blocks of columns, if possible between groups of columns.
std::string text_table(const Table& table);
/// Returns a table in GitHub Flavored Markdown.
std::string markdown_table(const Table& table);
/// Returns a LaTeX table environment, which needs the package booktabs.
std::string latex_table(const Table& table);

/// Returns the header line of csv_lines().
std::string csv_header();
/// Returns every score of a comparison, one line each.
/// @param published  may be nullptr
std::string csv_lines(const Comparison& comparison, const PublishedTable* published,
                      ClusterStatistics& statistics);

/// Returns a cell of a CSV file, in double quotes if it needs them.
std::string csv_cell(const std::string& text);
/// Returns a number of a CSV file in full precision, empty for NaN.
std::string csv_number(double value);

/// Escapes the special characters of LaTeX.
std::string latex_escaped(const std::string& text);

}  // namespace popflow::report
