// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::core {

/// Converts a text to UTF-8. Text that is valid UTF-8 is returned unchanged. Other text is taken for Latin-1
/// (ISO 8859-1), which older instruments write.
std::string to_utf8(const std::string& text);

}  // namespace popflow::core
