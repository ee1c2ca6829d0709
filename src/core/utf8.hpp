// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace popflow::core {

/// Returns the number of bytes of the UTF-8 character at the start of `text`, which must not be empty.
/// Returns 0 if `text` does not start with a valid UTF-8 character.
std::size_t character_length(std::string_view text);

/// Returns `text` as one line of valid UTF-8 that is safe to print on a terminal: control characters become
/// spaces, and bytes that are not valid UTF-8 become question marks.
std::string printable(std::string_view text);

}  // namespace popflow::core
