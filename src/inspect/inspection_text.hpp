// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// Returns a human-readable summary of a screen: sizes, markers, labels, pairs, the split and the dropped
/// items.
///
/// Shortens long lists. inspection_json() has the full lists.
/// @param split  null for none
/// @param notes  further notes, below those of the screen
std::string inspection_text(const screen::Screen& screen, const screen::Split* split,
                            const std::vector<std::string>& notes = {});

}  // namespace popflow::inspect
