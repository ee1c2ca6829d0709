// SPDX-License-Identifier: MIT
#include "core/join.hpp"

namespace popflow::core {

std::string and_joined(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    return text;
}

}  // namespace popflow::core
