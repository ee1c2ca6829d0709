// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace popflow::core {

/// Whether a label stands for a missing value: it is empty, or one of the texts that pandas reads as missing,
/// such as `NA`, `NaN`, `nan`, `None`, `NULL` and `<NA>`.
bool is_missing_label(const std::string& label);

/// Returns a label without blanks at its ends and in lower case (ASCII), to compare labels that people typed.
std::string folded_label(const std::string& label);

/// Finds a label that a user named among those of the data. The same text always wins. Otherwise a label that
/// differs only in capitals and in blanks around it is taken.
/// @return  the label of the data, or nullopt if there is none
/// @throws ConfigError with `key` if several labels differ only in this way
std::optional<std::string> match_label(const std::string& key, const std::string& wanted,
                                       const std::vector<std::string>& labels);

/// Returns the note that a label was taken for another: `control: took 'DMSO ' for 'DMSO'`.
std::string match_note(const std::string& key, const std::string& wanted, const std::string& found);

}  // namespace popflow::core
