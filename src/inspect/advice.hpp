// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "inspect/inspection_summary.hpp"
#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// One line of advice.
struct Advice {
    std::string topic;  ///< data, splits, method, settings or limits
    std::string text;
};

/// Returns what a screen supports: the populations that can be held out, the splits, the method to begin
/// with, settings for few pairs, and what the data are too few for. No lines for a screen without pairs.
///
/// docs/choosing.md has the tables behind the rules.
/// @param split  null for none
std::vector<Advice> advise(const screen::Screen& screen, const InspectionSummary& summary,
                           const screen::Split* split);

}  // namespace popflow::inspect
