// SPDX-License-Identifier: MIT
#include "data/text_encoding.hpp"

#include <cstdint>

namespace popflow::data {

namespace {

// Bytes of the character that begins at text[i]; 0 if none does.
std::size_t character_bytes(const std::string& text, std::size_t i) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(i);
    if (first < 0x80) return 1;
    const std::size_t n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || i + n > text.size()) return 0;
    for (std::size_t k = 1; k < n; ++k) {
        if ((byte(i + k) & 0xC0U) != 0x80) return 0;
    }
    // Overlong forms, surrogates and what is beyond the last character.
    const unsigned second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
        return 0;
    return n;
}

}  // namespace

std::string to_utf8(const std::string& text) {
    bool valid = true;
    for (std::size_t i = 0; valid && i < text.size();) {
        const std::size_t n = character_bytes(text, i);
        valid = n > 0;
        i += n;
    }
    if (valid) return text;
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
