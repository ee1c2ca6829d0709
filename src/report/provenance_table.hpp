// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::report {

/// Row of a table of provenance: the origin of one file.
struct ProvenanceRow {
    std::string file{};
    std::vector<std::string> cells{};  ///< one per column
    std::string config{};              ///< resolved configuration
};

/// Returns the section `Provenance` of a page as HTML: a table, and the configurations folded below it.
/// @param columns  titles of the columns after the first one, which has the files
std::string provenance_html(const std::vector<std::string>& columns, const std::vector<ProvenanceRow>& rows);

}  // namespace popflow::report
