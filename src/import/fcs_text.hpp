// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace popflow::data_import {

/// Values of the keywords of a TEXT segment. Names are in upper case, and values are UTF-8.
using FcsKeywords = std::map<std::string, std::string>;

/// Meaning of a doubled delimiter in a TEXT segment.
enum class DoubledDelimiter {
    escape,       ///< the character itself, as the standard says
    by_position,  ///< behind the name of a keyword an empty value, inside a value the character itself
    empty_value,  ///< an empty value or name
    stray,        ///< behind the name of a keyword an empty value, behind a value one delimiter too many
};

/// Pairs of name and value that a reading of a TEXT segment finds.
struct FcsText {
    FcsKeywords keywords{};
    std::size_t end = 0;  ///< offset of the byte after the delimiter of the last value
    /// Number of features that a well-formed segment lacks: names with a delimiter, empty names, a name
    /// without a value, a last value without a delimiter.
    std::size_t oddities = 0;
    std::string cut_name{};     ///< name of the standard that the segment ends with; empty: none
    bool is_terminated = true;  ///< false if no delimiter follows the last value
};

/// Options of parse_fcs_text().
struct FcsTextReading {
    char delimiter = '/';
    std::size_t first = 1;  ///< offset of the name of the first keyword
    DoubledDelimiter doubled = DoubledDelimiter::escape;
    /// Whether a value that looks like the name of a keyword of the standard is such a name, whose
    /// predecessor has no value.
    bool should_resynchronise = false;
};

/// Splits a TEXT segment into names and values. Ignores what follows the last delimiter, unless it is the
/// value of a name. Keeps the first value of a repeated name.
FcsText parse_fcs_text(std::string_view text, const FcsTextReading& reading);

/// Strips blanks, line breaks and NUL characters from both ends.
std::string stripped(std::string_view text);

}  // namespace popflow::data_import
