// SPDX-License-Identifier: MIT
#include "data/text_encoding.hpp"

#include <string_view>

#include "core/utf8.hpp"

namespace popflow::data {

std::string to_utf8(const std::string& text) {
    std::string_view left = text;
    while (!left.empty() && core::character_length(left) > 0)
        left.remove_prefix(core::character_length(left));
    if (left.empty()) return text;
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

}  // namespace popflow::data
