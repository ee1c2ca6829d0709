// SPDX-License-Identifier: MIT
#include "report/figure_names.hpp"

#include <cctype>

#include "core/text.hpp"

namespace popflow::report {

namespace {

// Returns the words of a text as a part of a file name: lower case, with '-' in place of other characters
// than letters, digits, '_' and '.'.
std::string file_word(const std::string& text) {
    std::string word;
    for (const char c : core::lower_case(text)) {
        const bool is_kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
        if (is_kept) word += c;
        if (!is_kept && !word.empty() && word.back() != '-') word += '-';
    }
    while (word.ends_with('-') || word.ends_with('.')) word.pop_back();
    constexpr std::size_t max_length = 100;  // file systems limit names to 255 bytes
    return word.substr(0, max_length);
}

}  // namespace

void FigureNames::add(const std::string& words, const Figure& figure) {
    const std::string wanted = file_word(words);
    std::string name = wanted;
    for (int n = 2; !used_.insert(name).second; ++n) name = wanted + "-" + std::to_string(n);
    figures_.emplace_back(name, figure);
}

}  // namespace popflow::report
