// SPDX-License-Identifier: MIT
#include "report/plot/theme.hpp"

namespace popflow::report::plot {

namespace {

struct Colour {
    const char* name;
    const char* light;
    const char* dark;
};

// The colours c0 to c7 can be distinguished by colour-blind readers (after Okabe and Ito). Each has enough
// contrast on the background of its theme. Groups beyond the eighth differ in shape or dashes.
constexpr Colour colours[] = {
    {"page", "#ffffff", "#14171a"},      {"ink", "#1c2024", "#e6e9ec"},  {"soft", "#5b636b", "#a2abb4"},
    {"rule", "#d9dee3", "#3a4249"},      {"grid", "#e8ebee", "#282e34"}, {"panel", "#f6f8f9", "#1c2125"},
    {"heat", "0 114 178", "86 180 233"}, {"best", "#00528a", "#8fd0ff"}, {"c0", "#0072b2", "#4ba6e8"},
    {"c1", "#c44e00", "#f0803c"},        {"c2", "#00875f", "#2fc79a"},   {"c3", "#b0558c", "#e199c4"},
    {"c4", "#b87800", "#efb02e"},        {"c5", "#2f9fd8", "#9fdcff"},   {"c6", "#6b5b00", "#e4d95a"},
    {"c7", "#4a4f55", "#b9c0c7"},
};

constexpr const char* fixed_rules = R"css(
svg .tick { font-size: 12px; fill: var(--soft); } svg .axis { font-size: 13px; fill: var(--ink); }
svg .grid { stroke: var(--grid); fill: none; } svg .diagonal { stroke: var(--soft); stroke-dasharray: 5 4; fill: none; }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; } svg .line.dot { stroke-width: 7; stroke-dasharray: none; }
svg .mark { stroke: var(--page); stroke-width: 0.7; fill-opacity: 0.88; } svg .mark.ringed { stroke: var(--ink); stroke-width: 1.8; fill-opacity: 1; }
.dash1 { stroke-dasharray: 7 4; } .dash2 { stroke-dasharray: 1 4; } .dash3 { stroke-dasharray: 9 3 2 3; }
svg .cloud { stroke-width: 3.4; stroke-opacity: 0.5; } svg .arrows { stroke: var(--ink); stroke-width: 0.6; stroke-opacity: 0.55; fill: none; }
)css";

}  // namespace

std::string drawing_style() {
    std::string style = fixed_rules;
    for (int k = 0; k < 8; ++k) {
        const std::string name = "c" + std::to_string(k);
        style += ".mark." + name + " { fill: var(--" + name + "); } .line." + name + " { stroke: var(--" +
                 name + "); }\n";
    }
    return style;
}

std::string light_drawing_style() {
    std::string style = drawing_style();
    for (const Colour& colour : colours) {
        const std::string variable = "var(--" + std::string(colour.name) + ")";
        for (std::size_t at = 0; (at = style.find(variable, at)) != std::string::npos;)
            style.replace(at, variable.size(), colour.light);
    }
    return style;
}

std::string theme_variables(bool dark) {
    std::string text;
    for (const Colour& colour : colours)
        text += "--" + std::string(colour.name) + ": " + (dark ? colour.dark : colour.light) + "; ";
    return text;
}

}  // namespace popflow::report::plot
