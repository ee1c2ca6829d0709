// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace popflow::core {

/// Splits a list of labels at its commas, as a line of a CSV file: an item in double quotes may contain
/// commas and blanks at its ends, and `""` stands for a quote. Blanks around items are removed. Empty items
/// that are not quoted are skipped.
/// @param key  name of the option, for messages
/// @throws ConfigError for a quote that is not closed, or text behind a closing quote
std::vector<std::string> split_list(const std::string& key, const std::string& text);

/// Splits a list of `NAME=VALUE` at its commas. Each item, or the value of an item, may be in double quotes:
/// `"a=x,y",b=z` and `a="x,y",b=z` are the same. An item without `=` is returned with an empty name.
/// @throws ConfigError as split_list()
std::vector<std::pair<std::string, std::string>> split_assignments(const std::string& key,
                                                                   const std::string& text);

/// The two parts of a text `HEAD:REST`.
struct LabelHead {
    std::string head;                 ///< without its quotes
    bool is_quoted = false;           ///< whether the head was in double quotes
    std::optional<std::string> rest;  ///< text behind the colon, nullopt if there is no colon
};

/// Splits a text at its first colon. The head may be in double quotes, as an item of split_list(), and may
/// then contain colons. Blanks around it are removed.
/// @throws ConfigError for a quote that is not closed, or text between a closing quote and the colon
LabelHead split_head(const std::string& key, const std::string& text);

/// Returns an item in the form that split_list() reads back: in double quotes where it needs them.
std::string list_item(const std::string& item);
/// Joins items by `, ` in the form that split_list() reads back.
std::string list_text(const std::vector<std::string>& items);

/// Joins neighbouring items by `,` or `, ` where the result is one of the known labels. Undoes the split of a
/// label with commas that was not quoted. An item that is a known label stays alone.
std::vector<std::string> rejoin_labels(const std::vector<std::string>& items,
                                       const std::vector<std::string>& known);

}  // namespace popflow::core
