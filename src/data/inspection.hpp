// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "data/screen.hpp"
#include "data/splits.hpp"

namespace popflow::data {

/// What a screen holds, for people: sizes, markers, labels, pairs, the split (null for none) and what was
/// dropped.
///
/// Long lists are summarised; inspection_json() has them whole.
std::string inspection_text(const Screen& screen, const Split* split);

/// The same as one JSON object with every population, pair and dropped item.
std::string inspection_json(const Screen& screen, const Split* split);

}  // namespace popflow::data
