// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "screen/screen.hpp"
#include "screen/splits.hpp"

namespace popflow::inspect {

/// Returns the contents of inspection_text() as one JSON object, with every population, pair and dropped
/// item. @param notes  see there
std::string inspection_json(const screen::Screen& screen, const screen::Split* split,
                            std::span<const std::string> notes = {});

}  // namespace popflow::inspect
