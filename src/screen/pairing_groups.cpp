// SPDX-License-Identifier: MIT
#include "screen/pairing_groups.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace popflow::screen {

std::vector<std::size_t> pairing_groups(const Screen& screen) {
    std::map<std::vector<std::string>, std::size_t> numbers;
    std::vector<std::size_t> groups;
    for (const Population& population : screen.populations) {
        std::vector<std::string> key = screen.experiments[population.experiment].values;
        key.resize(std::min(key.size(), screen.options.pair_by.size()));
        groups.push_back(numbers.emplace(std::move(key), numbers.size()).first->second);
    }
    return groups;
}

}  // namespace popflow::screen
