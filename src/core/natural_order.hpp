// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace popflow::core {

/// Returns the distinct labels in natural order, in which numbers within labels are compared by value.
std::vector<std::string> sorted_labels(std::vector<std::string> labels);

}  // namespace popflow::core
