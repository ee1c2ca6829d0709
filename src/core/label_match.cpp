// SPDX-License-Identifier: MIT
#include "core/label_match.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::core {

bool is_missing_label(const std::string& label) {
    // The texts that pandas.read_csv() takes for missing values.
    static constexpr std::array<std::string_view, 19> texts{
        "",     "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A",  "NA",       "NULL", "NaN",     "None",     "n/a",  "nan",  "null"};
    return std::ranges::find(texts, label) != texts.end();
}

std::string folded_label(const std::string& label) {
    const std::size_t begin = label.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return "";
    return lower_case(label.substr(begin, label.find_last_not_of(" \t\r\n") - begin + 1));
}

std::optional<std::string> match_label(const std::string& key, const std::string& wanted,
                                       const std::vector<std::string>& labels) {
    if (std::ranges::find(labels, wanted) != labels.end()) return wanted;
    const std::string folded = folded_label(wanted);
    if (folded.empty()) return std::nullopt;
    std::vector<std::string> similar;
    for (const std::string& label : labels) {
        if (folded_label(label) == folded && std::ranges::find(similar, label) == similar.end())
            similar.push_back(label);
    }
    if (similar.size() > 1) {
        std::string names;
        for (const std::string& label : similar) names += (names.empty() ? "'" : ", '") + label + "'";
        throw ConfigError(key,
                          "found '" + wanted + "', which could be any of " + names +
                              ": give the label exactly as in the data, in double quotes if it has blanks "
                              "at its ends");
    }
    if (similar.empty()) return std::nullopt;
    return similar.front();
}

std::string match_note(const std::string& key, const std::string& wanted, const std::string& found) {
    return key + ": took '" + found + "' of the data for '" + wanted + "'";
}

}  // namespace popflow::core
