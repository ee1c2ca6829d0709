// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report/comparison.hpp"
#include "report/published.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns the report as one self-contained HTML page.
///
/// Each comparison has its tables, its training curves and panels for each model: pairs, heat maps,
/// embeddings and sampled cells. The provenance of all result files follows.
/// @param published  may be nullptr
std::string report_page(const std::vector<eval::Results>& results, const std::vector<Comparison>& comparisons,
                        const PublishedTable* published);

/// Returns a table as HTML, with column groups.
std::string html_table(const Table& table);

}  // namespace popflow::report
