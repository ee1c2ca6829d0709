// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace popflow::core {

/// Returns the shortest text that reads back as the same double, without a trailing `.0`: `1`, `0.5`,
/// `100000`, `1e-07`.
std::string number_label(double value);
/// Returns the shortest text that reads back as the same float: `0.1`, not `0.10000000149011612`.
std::string number_label(float value);

/// Parses a label as a number. Returns nothing unless the whole label is one finite number.
std::optional<double> label_number(const std::string& label);

/// Normalises a label: a number becomes its number_label(), so `1.0` becomes `1`. Other labels are unchanged.
std::string plain_label(const std::string& label);

/// Converts ASCII letters to lower case.
std::string lower_case(std::string text);
/// Converts ASCII letters to upper case.
std::string upper_case(std::string text);

/// Formats a fraction as a percentage: 0.37 becomes `37 %`.
std::string percent_text(double share);

/// Formats a number with its noun: `1 rank`, `2 ranks`.
std::string counted(std::size_t number, const std::string& noun);

/// Returns the name that is most similar to `wanted`, ignoring case, for a "did you mean" hint.
/// Prefers the shortest name that begins with `wanted`, else the one with the smallest edit distance.
/// Returns an empty text if no name is similar enough: the distance may be at most a third of the length of
/// `wanted`, or 2 if that is more, but at most half of its length.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names);

/// Returns ` (did you mean 'NAME'?)` for nearest_name(), or an empty text if there is none.
std::string did_you_mean(const std::string& wanted, const std::vector<std::string>& names);

/// Joins names with `, `. Lists at most `max_names` of them and appends the number of the others.
std::string joined(const std::vector<std::string>& names, std::size_t max_names = 20);

/// Splits a text at a separator and strips spaces from each part. An empty text has no parts.
std::vector<std::string> split_text(const std::string& text, char separator);

/// Returns a text as one word of a shell command. Puts it into single quotes unless all its characters are
/// letters, digits or `_-+=./:,@%`.
std::string shell_word(const std::string& text);

/// Escapes a text for the source of a manual page (man(7)), so that troff finds no commands in it.
std::string manual_text(const std::string& text);

/// Parses a text of `key = value` lines, such as a resolved configuration. The values of a repeated key are
/// joined by spaces. Other lines are skipped.
std::map<std::string, std::string> key_values(const std::string& text);

}  // namespace popflow::core
