// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace popflow::core {

/// Bytes of the UTF-8 character that a text begins with; 0 if it begins with none. The text is not empty.
std::size_t character_length(std::string_view text);

/// A text as one line of UTF-8 that no terminal obeys: control characters become spaces, bytes that are no
/// UTF-8 question marks.
std::string printable(std::string_view text);

}  // namespace popflow::core
