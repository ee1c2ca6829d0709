// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace popflow::inspect {

/// Returns a quoted JSON string. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// Writes indented JSON. Calls nest like the document. Within an object, call key() before each value.
class JsonWriter {
  public:
    JsonWriter& begin_object() { return begin('{', '}'); }
    JsonWriter& begin_array() { return begin('[', ']'); }
    /// Ends the innermost object or array.
    JsonWriter& end();
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text) { return raw(json_string(text)); }
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(std::uint64_t number) { return raw(std::to_string(number)); }
    JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
    /// Writes a number, or null if it is not finite.
    JsonWriter& value(double number);
    JsonWriter& value(const std::vector<std::string>& texts);
    /// Writes a member of an object.
    template <class Value>
    JsonWriter& member(std::string_view name, const Value& content) {
        return key(name).value(content);
    }
    /// Returns the document, with a newline at its end.
    std::string text() const { return text_ + "\n"; }

  private:
    JsonWriter& begin(char opening, char closing);
    JsonWriter& raw(std::string_view text);
    void new_line();

    std::string text_;
    std::string closings_;  ///< closing brackets of the open objects and arrays
    bool first_ = true;     ///< true while the innermost object or array is empty
    bool after_key_ = false;
};

}  // namespace popflow::inspect
