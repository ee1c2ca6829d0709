// SPDX-License-Identifier: MIT
#include "core/option_effect.hpp"

#include <set>

#include "core/text.hpp"

namespace popflow::core {

std::vector<std::string> changed_options(const std::string& now, const std::string& before,
                                         const OptionEffects& effects) {
    auto a = key_values(now);
    auto b = key_values(before);
    std::set<std::string> keys;
    for (const auto& entry : a) keys.insert(entry.first);
    for (const auto& entry : b) keys.insert(entry.first);
    std::vector<std::string> lines;
    for (const std::string& key : keys) {
        const auto effect = effects.find(key);
        const bool ignored =
            effect != effects.end() && (effect->second.affects == Affects::nothing || effect->second.is_path);
        if (!ignored && a[key] != b[key])
            lines.push_back(key + ": found '" + a[key] + "', was '" + b[key] + "'");
    }
    return lines;
}

}  // namespace popflow::core
