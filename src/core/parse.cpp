// SPDX-License-Identifier: MIT
#include "core/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::core {

std::uint64_t parse_count(const std::string& key, const std::string& text, std::uint64_t min,
                          std::uint64_t max) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
        throw ConfigError(key, fmt::format("found '{}'. Give a whole number from {} to {}", text, min, max));
    }
    return value;
}

double parse_number(const std::string& key, const std::string& text, double min, double max) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= min && value <= max)) {
        throw ConfigError(key, "found '" + text + "'. Give a number from " + number_label(min) + " to " +
                                   number_label(max));
    }
    return value;
}

std::size_t parse_choice(const std::string& key, const std::string& text,
                         const std::vector<std::string>& allowed) {
    const auto at = std::ranges::find(allowed, text);
    if (at == allowed.end()) {
        std::string names;
        for (const std::string& name : allowed) names += (names.empty() ? "" : ", ") + name;
        throw ConfigError(key,
                          "found '" + text + "'" + did_you_mean(text, allowed) + ". Give one of " + names);
    }
    return static_cast<std::size_t>(at - allowed.begin());
}

}  // namespace popflow::core
