// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/map_results.hpp"
#include "report/report.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns a row per predictor and number of steps, with means and standard deviations over the problems.
Table map_table(const eval::MapResults& results);

/// Returns a report of result files of maps, one after the other. CSV is tidy: one line per problem and
/// predictor, in full precision.
std::string map_report(const std::vector<eval::MapResults>& results, ReportFormat format);

}  // namespace popflow::report
