// SPDX-License-Identifier: MIT
#include "core/option_effect.hpp"

#include <algorithm>
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
    const std::string method = a["method"];
    const auto is_ignored = [&](const std::string& key) {
        const auto at = effects.find(key);
        if (at == effects.end()) return false;
        const auto& [affects, methods, is_path] = at->second;
        const bool is_unused =
            !method.empty() && !methods.empty() && std::ranges::find(methods, method) == methods.end();
        return affects == Affects::nothing || is_path || is_unused;
    };
    std::vector<std::string> lines;
    for (const std::string& key : keys) {
        if (!is_ignored(key) && a[key] != b[key])
            lines.push_back(key + ": found '" + a[key] + "', was '" + b[key] + "'");
    }
    return lines;
}

}  // namespace popflow::core
