// SPDX-License-Identifier: MIT
#pragma once

#include <span>
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
/// @param notes  further notes, below those of the screen, see screen::value_notes()
std::string inspection_text(const screen::Screen& screen, const screen::Split* split,
                            std::span<const std::string> notes = {});

}  // namespace popflow::inspect
