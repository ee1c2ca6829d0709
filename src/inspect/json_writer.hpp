// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace popflow::inspect {

/// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// Writes indented JSON. Calls nest as the document does; within an object each value comes after its key().
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
    /// Not a finite number: null.
    JsonWriter& value(double number);
    JsonWriter& value(const std::vector<std::string>& texts);
    template <class Value>
    JsonWriter& member(std::string_view name, const Value& of_it) {
        return key(name).value(of_it);
    }
    /// The document, with a newline at its end.
    std::string text() const { return text_ + "\n"; }

  private:
    JsonWriter& begin(char opening, char closing);
    JsonWriter& raw(std::string_view text);
    void new_line();

    std::string text_;
    std::string closings_;  ///< of the open objects and arrays
    bool first_ = true;     ///< nothing yet in the innermost one
    bool after_key_ = false;
};

}  // namespace popflow::inspect
