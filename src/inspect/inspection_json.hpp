// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// Returns the contents of inspection_text() as one JSON object, with every population, pair and dropped
/// item.
std::string inspection_json(const screen::Screen& screen, const screen::Split* split,
                            const std::vector<std::string>& notes = {});

}  // namespace popflow::inspect
