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

/// A label that is a number as number_label() has it, so that `1.0` is `1`; any other as it is.
std::string plain_label(const std::string& label);

/// ASCII letters made small.
std::string lower_case(std::string text);
/// ASCII letters made large.
std::string upper_case(std::string text);

/// A share of 1 as `37 %`.
std::string percent_text(double share);

/// `1 rank`, `2 ranks`.
std::string counted(std::size_t number, const std::string& noun);

/// The name that is most like `wanted`, letter case aside: the shortest that begins with it, else the one of
/// the fewest edits; empty if none is like it, as when half of its letters would change.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names);

/// ` (did you mean 'NAME'?)` for nearest_name(); empty if there is none.
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
