// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "report/comparison.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// A table as text in columns.
std::string text_table(const Table& table);
/// A table in GitHub's Markdown.
std::string markdown_table(const Table& table);
/// A table environment of LaTeX; it needs the package booktabs.
std::string latex_table(const Table& table);

/// The header line of csv_lines().
std::string csv_header();
/// Every score of a comparison, one line each. @param published  may be nullptr
std::string csv_lines(const Comparison& comparison, const PublishedTable* published);

/// A text with what LaTeX would take for commands made harmless.
std::string latex_escaped(const std::string& text);

}  // namespace popflow::report
