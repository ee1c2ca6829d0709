// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/problem_results.hpp"
#include "problems/problem_set.hpp"

namespace popflow::eval {

/// Writes the distances between all measures as an AnnData file: measures in obs, distances in
/// obsp["distances"].
///
/// For populations X has the mean of each marker over the drawn cells, and obs the values of the columns that
/// name the populations, `population` and `n_cells`. For histograms the file has no X.
/// @throws core::DataError if the file cannot be created, core::WriteError if writing fails
void write_distance_file(const std::string& path, const problems::ProblemSet& problems,
                         const DistanceMatrix& distances, const std::string& config);

}  // namespace popflow::eval
