// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::core {

/// Joins names as in a sentence: `a`, `a and b`, `a, b and c`.
std::string and_joined(const std::vector<std::string>& names);

}  // namespace popflow::core
