// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "screen/screen.hpp"

namespace popflow::screen {

/// Returns a number for each population. Populations with the same values of the pairing keys
/// (ScreenOptions::pair_by) have the same number.
std::vector<std::size_t> pairing_groups(const Screen& screen);

}  // namespace popflow::screen
