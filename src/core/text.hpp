// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace popflow::core {

/// The shortest text that reads back as the same number, without a trailing `.0`: `1`, `0.5`, `100000`,
/// `1e-07`.
std::string number_label(double value);
/// As above, shortest among floats: `0.1`, not `0.10000000149011612`.
std::string number_label(float value);

/// The number that a label is, if all of it is one finite number.
std::optional<double> label_number(const std::string& label);

/// The name that is the fewest edits away, letter case aside; empty if there is none within `most` edits.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names,
                         std::size_t most = static_cast<std::size_t>(-1));

/// ` (did you mean 'NAME'?)` if one of the names is near enough to be meant, else empty.
std::string did_you_mean(const std::string& wanted, const std::vector<std::string>& names);

/// Names joined by `, `; after `most` of them it says how many more there are.
std::string joined(const std::vector<std::string>& names, std::size_t most = 20);

/// Parts of a text between separators, without surrounding spaces; no parts in an empty text.
std::vector<std::string> split_text(const std::string& text, char separator);

/// Text for the source of a manual page (man(7)): what troff would take for a command is taken as it stands.
std::string manual_text(const std::string& text);

/// Values by key of a text of `key = value` lines, such as a resolved configuration; those of a key that is
/// there several times are joined by spaces.
std::map<std::string, std::string> key_values(const std::string& text);

}  // namespace popflow::core
