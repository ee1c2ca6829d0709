// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::core {

/// The text itself if it is UTF-8, else its bytes as Latin-1 (ISO 8859-1), which older instruments write.
std::string to_utf8(const std::string& text);

}  // namespace popflow::core
