// SPDX-License-Identifier: MIT
#include "core/natural_order.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace popflow::core {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Splits a label into words and the integers between them, for natural order.
std::vector<std::pair<std::string, double>> natural_key(const std::string& label) {
    std::vector<std::pair<std::string, double>> key;
    for (std::size_t i = 0; i < label.size();) {
        std::string word;
        while (i < label.size() && !is_digit(label[i])) word += label[i++];
        double number = -1;
        for (; i < label.size() && is_digit(label[i]); ++i)
            number = 10 * std::max(number, 0.0) + (label[i] - '0');
        key.emplace_back(word, number);
    }
    return key;
}

}  // namespace

std::vector<std::string> sorted_labels(std::vector<std::string> labels) {
    std::ranges::sort(labels, [](const std::string& a, const std::string& b) {
        return std::tuple(natural_key(a), a) < std::tuple(natural_key(b), b);
    });
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    return labels;
}

}  // namespace popflow::core
