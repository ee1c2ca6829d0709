// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/published.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// The report as one HTML page that needs nothing from elsewhere: for each comparison the tables, training
/// curves, and per model the pairs, patients by treatments and embeddings; then where the numbers are from.
/// @param published  may be nullptr
std::string report_page(const std::vector<eval::Results>& results, const std::vector<Comparison>& comparisons,
                        const PublishedTable* published);

/// A table with rows and groups of columns as HTML.
std::string html_table(const Table& table);

}  // namespace popflow::report
