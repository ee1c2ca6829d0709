// SPDX-License-Identifier: MIT
#include "report/plot/markup.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/text.hpp"

namespace popflow::report::plot {

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '"') {
            out += "&quot;";
        } else if (c == '\'') {
            out += "&#39;";
        } else {
            out += c;
        }
    }
    return out;
}

std::string element(std::string_view tag, std::string_view attributes, std::string_view content) {
    std::string out = "<" + std::string(tag);
    if (!attributes.empty()) out.append(" ").append(attributes);
    return out.append(">").append(content).append("</").append(tag).append(">");
}

std::string coordinate(double value) {
    return core::number_label(std::round(value * 10) / 10);
}

std::string value_text(double value) {
    if (std::isnan(value)) return "-";
    if (value == 0) return "0";  // avoids -0
    return fmt::format("{:.4g}", value);
}

}  // namespace popflow::report::plot
