// SPDX-License-Identifier: MIT
#include "inspect/json_writer.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "core/text.hpp"
#include "core/utf8.hpp"

namespace popflow::inspect {

namespace {

std::string escaped(char c) {
    switch (c) {
        case '"':
            return "\\\"";
        case '\\':
            return "\\\\";
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            break;
    }
    if (static_cast<unsigned char>(c) >= 0x20) return {c};
    std::array<char, 8> code{};
    std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
    return code.data();
}

}  // namespace

std::string json_string(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const std::size_t length = core::character_length(text);
        if (length == 0) {
            result += "\\ufffd";
        } else if (length == 1) {
            result += escaped(text[0]);
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result + "\"";
}

void JsonWriter::new_line() {
    if (closings_.empty()) return;
    if (!first_) text_ += ',';
    text_ += '\n' + std::string(2 * closings_.size(), ' ');
    first_ = false;
}

JsonWriter& JsonWriter::raw(std::string_view text) {
    if (!after_key_) new_line();
    after_key_ = false;
    text_ += text;
    return *this;
}

JsonWriter& JsonWriter::begin(char opening, char closing) {
    raw({&opening, 1});
    closings_ += closing;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end() {
    const char closing = closings_.back();
    closings_.pop_back();
    if (!first_) text_ += '\n' + std::string(2 * closings_.size(), ' ');
    text_ += closing;
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    new_line();
    text_ += json_string(name) + ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    return raw(std::isfinite(number) ? core::number_label(number) : "null");
}

JsonWriter& JsonWriter::value(const std::vector<std::string>& texts) {
    begin_array();
    for (const std::string& text : texts) value(text);
    return end();
}

}  // namespace popflow::inspect
