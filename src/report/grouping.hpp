// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/results.hpp"

namespace popflow::report {

/// Groups the summary of a result file by a column of its pairs, in place of the cultures.
///
/// The tables name the column as the data file does: a role that was mapped with --column has the name of its
/// obs column.
/// @param name  column of labels in the table of pairs, or obs column of a role
/// @throws core::ConfigError for another name, with those that are allowed
void group_by(eval::Results& results, const std::string& name);

}  // namespace popflow::report
