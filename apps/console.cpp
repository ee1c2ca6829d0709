// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <cstdarg>
#include <cstdio>
#include <utility>
#include <vector>

namespace popflow::apps {

namespace {

Console* current = nullptr;

// Returns a formatted text. `arguments` is used up.
std::string formatted(const char* format, std::va_list arguments) {
    std::va_list copy;
    va_copy(copy, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, copy);
    va_end(copy);
    if (length < 0) return "";
    std::vector<char> text(static_cast<std::size_t>(length) + 1);
    std::vsnprintf(text.data(), text.size(), format, arguments);
    return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

ConsoleScope::ConsoleScope(Console& console) : outer_(std::exchange(current, &console)) {}

ConsoleScope::~ConsoleScope() {
    current = outer_;
}

Console* console() {
    return current;
}

void print_result(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    const std::string text = formatted(format, arguments);
    va_end(arguments);
    if (current != nullptr) return current->print_result(text);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_message(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    const std::string text = formatted(format, arguments);
    va_end(arguments);
    if (current != nullptr) return current->print_message(text);
    std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace popflow::apps
