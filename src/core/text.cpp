// SPDX-License-Identifier: MIT
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>

namespace popflow::core {

namespace {

template <class Real>
std::string shortest_text(Real value) {
    if (value == 0) return "0";  // for -0 too
    const Real size = std::abs(value);
    const bool plain = size >= Real(1e-5) && size < Real(1e16);
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                   plain ? std::chars_format::fixed : std::chars_format::scientific);
    return {text.data(), end.ptr};
}

// Returns the Levenshtein distance.
std::size_t edits(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::string upper_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

std::string percent_text(double share) {
    return std::to_string(std::lround(100 * share)) + " %";
}

std::string number_label(double value) {
    return shortest_text(value);
}
std::string number_label(float value) {
    return shortest_text(value);
}

std::optional<double> label_number(const std::string& label) {
    double value = 0;
    const char* end = label.data() + label.size();
    const auto result = std::from_chars(label.data(), end, value);
    if (label.empty() || result.ec != std::errc() || result.ptr != end || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::string counted(std::size_t number, const std::string& noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string plain_label(const std::string& label) {
    const std::optional<double> number = label_number(label);
    return number ? number_label(*number) : label;
}

std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names) {
    const std::string text = lower_case(wanted);
    const std::size_t max_edits = std::max(text.size() / 3, std::min<std::size_t>(2, text.size() / 2));
    std::string nearest;
    // Edit distance and, for a name that begins with the text, the number of characters that it has more.
    std::pair<std::size_t, std::size_t> best{max_edits + 1, 0};
    for (const std::string& name : names) {
        const std::string other = lower_case(name);
        std::pair<std::size_t, std::size_t> own{edits(text, other), 0};
        if (text.size() > 1 && other.size() > text.size() && other.starts_with(text))
            own = {1, other.size() - text.size()};
        if (own >= best) continue;
        best = own;
        nearest = name;
    }
    return nearest;
}

std::string did_you_mean(const std::string& wanted, const std::vector<std::string>& names) {
    const std::string guess = nearest_name(wanted, names);
    return guess.empty() ? "" : " (did you mean '" + guess + "'?)";
}

std::string joined(const std::vector<std::string>& names, std::size_t max_names) {
    std::string text;
    for (std::size_t k = 0; k < names.size() && k < max_names; ++k) text += (k > 0 ? ", " : "") + names[k];
    if (names.size() > max_names) text += fmt::format(" and {} more", names.size() - max_names);
    return text;
}

std::string shell_word(const std::string& text) {
    const bool is_plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("_-+=./:,@%").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (is_plain) return text;
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
}

std::string manual_text(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

std::vector<std::string> split_text(const std::string& text, char separator) {
    std::vector<std::string> parts;
    if (text.empty()) return parts;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = text.find(separator, begin);
        std::string part = text.substr(begin, end - begin);
        part.erase(0, part.find_first_not_of(' '));
        part.erase(part.find_last_not_of(' ') + 1);
        parts.push_back(part);
        if (end == std::string::npos) return parts;
        begin = end + 1;
    }
}

std::map<std::string, std::string> key_values(const std::string& text) {
    std::map<std::string, std::string> values;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto equals = line.find(" = ");
        if (equals == std::string::npos) continue;
        std::string& value = values[line.substr(0, equals)];
        value += (value.empty() ? "" : " ") + line.substr(equals + 3);
    }
    return values;
}

}  // namespace popflow::core
