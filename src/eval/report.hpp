// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "eval/results.hpp"

namespace popflow::eval {

/// Table of one or more result files in the published layout: a row per predictor, the columns W1, W2, MMD x
/// 1000 and r2 (and the energy distance), the mean over seeds with its standard deviation behind `+-` unless
/// all are equal.
///
/// Files that differ in the seed alone make one row. Below the cultures' mean, the published aggregation,
/// follow the means of each culture if there is more than one.
std::string report_text(const std::vector<Results>& results);

/// The same as Markdown, without the cultures.
std::string report_markdown(const std::vector<Results>& results);

}  // namespace popflow::eval
