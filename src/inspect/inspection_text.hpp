// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// What a screen holds, for people: sizes, markers, labels, pairs, the split (null for none) and what was
/// dropped.
///
/// Long lists are summarised; inspection_json() has them whole.
std::string inspection_text(const screen::Screen& screen, const screen::Split* split);

}  // namespace popflow::inspect
