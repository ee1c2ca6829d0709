// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace popflow::core {

/// Reads a whole number from `min` to `max`. @param key  name of the option, for the message
/// @throws ConfigError
std::uint64_t parse_count(const std::string& key, const std::string& text, std::uint64_t min,
                          std::uint64_t max);
/// Reads a number from `min` to `max`. @throws ConfigError
double parse_number(const std::string& key, const std::string& text, double min, double max);
/// Returns the position of `text` in `allowed`. @throws ConfigError
std::size_t parse_choice(const std::string& key, const std::string& text,
                         const std::vector<std::string>& allowed);

}  // namespace popflow::core
