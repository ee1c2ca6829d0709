// SPDX-License-Identifier: MIT
#include "core/text_encoding.hpp"

#include <string_view>

#include "core/utf8.hpp"

namespace popflow::core {

std::string to_utf8(const std::string& text) {
    std::string_view left = text;
    std::size_t length = 1;
    while (!left.empty() && length > 0) {
        length = core::character_length(left);
        left.remove_prefix(length);
    }
    if (length > 0) return text;
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0U | (byte >> 6U));
            out += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return out;
}

}  // namespace popflow::core
