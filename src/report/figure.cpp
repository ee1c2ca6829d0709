// SPDX-License-Identifier: MIT
#include "report/figure.hpp"

#include <algorithm>

#include "report/plot/canvas.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/theme.hpp"

namespace popflow::report {

namespace {

using plot::element;
using plot::escaped;

constexpr double gap = 12;
constexpr double caption_height = 18;
constexpr double legend_line_height = 19;
// Mean width of a character at 13 pixels. Slightly too large, so that texts do not overlap.
constexpr double character_width = 7.4;

std::size_t columns_of(FigureLayout layout, std::size_t charts) {
    const std::size_t most = layout == FigureLayout::single ? 1 : layout == FigureLayout::grid ? 3 : 8;
    return std::max<std::size_t>(1, std::min(most, charts));
}

// Number of characters of a UTF-8 text.
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
    return element(
        "text",
        "x=\"" + plot::coordinate(x) + "\" y=\"" + plot::coordinate(y) + "\" class=\"axis\"" + attributes,
        escaped(text));
}

std::size_t group_of(const Figure& figure, std::size_t entry) {
    return figure.groups.empty() ? entry : figure.groups[entry];
}

// Legend of a figure file: items in lines that are at most `width` wide.
struct LegendBlock {
    std::string content;
    double width = 0;
    double height = 0;
};

LegendBlock legend_block(const Figure& figure, double top, double width) {
    LegendBlock block;
    const double sign_width = plot::legend_sign_width(figure.sign);
    double x = gap;
    double y = top;
    for (std::size_t g = 0; g < figure.legend.size(); ++g) {
        const double item =
            sign_width + 6 + character_width * static_cast<double>(characters(figure.legend[g])) + 14;
        if (x > gap && x + item > width) {
            x = gap;
            y += legend_line_height;
        }
        block.content += plot::legend_sign(figure.sign, group_of(figure, g), x, y) +
                         text_at(x + sign_width + 6, y + 11.5, "", figure.legend[g]);
        x += item;
        block.width = std::max(block.width, x);
    }
    if (!figure.legend.empty()) block.height = y + legend_line_height - top;
    return block;
}

}  // namespace

std::string legend_html(const Figure& figure) {
    const std::vector<std::string>& names = figure.legend;
    const plot::Sign sign = figure.sign;
    std::string items;
    for (std::size_t g = 0; g < names.size(); ++g) {
        items += element(
            "li", "",
            element("svg",
                    "aria-hidden=\"true\" width=\"" + plot::coordinate(plot::legend_sign_width(sign)) +
                        "\" height=\"" + plot::coordinate(plot::legend_sign_height) + "\"",
                    plot::legend_sign(sign, group_of(figure, g), 0, 0)) +
                escaped(names[g]));
    }
    return element("ul", "class=\"legend\"", items);
}

std::string figure_html(const Figure& figure) {
    std::string charts = figure.table;
    for (std::size_t k = 0; figure.table.empty() && k < figure.charts.size(); ++k) {
        const std::string svg = figure.charts[k].svg();
        charts += figure.captions.empty() ? svg
                                          : element("div", "class=\"frame\"",
                                                    svg + element("span", "", escaped(figure.captions[k])));
    }
    const char* classes = figure.table.empty() ? "" : "class=\"matrix\"";
    if (figure.layout == FigureLayout::grid) {
        charts = element("div", "class=\"small\"", charts);
        classes = "class=\"several\"";
    } else if (figure.layout == FigureLayout::frames) {
        charts = element("div", "class=\"frames\"", charts);
        classes = "class=\"wide\"";
    }
    if (figure.has_own_legend && !figure.legend.empty()) charts += legend_html(figure);
    if (!figure.note.empty()) charts += element("p", "class=\"soft\"", escaped(figure.note));
    return element("figure", classes, element("h4", "", escaped(figure.title)) + charts) + "\n";
}

std::string figure_svg(const Figure& figure) {
    const std::size_t columns = columns_of(figure.layout, figure.charts.size());
    const double space = figure.layout == FigureLayout::single ? 0 : gap;
    const double below = figure.captions.empty() ? 0 : caption_height;
    std::string content;
    double width = 0;
    double top = 0;
    for (std::size_t first = 0; first < figure.charts.size(); first += columns) {
        double x = space;
        double row_height = 0;
        for (std::size_t k = first; k < std::min(first + columns, figure.charts.size()); ++k) {
            const plot::Drawing& chart = figure.charts[k];
            content += chart.nested(x, top + space);
            if (below > 0)
                content += text_at(x + chart.width / 2, top + space + chart.height + 14,
                                   " text-anchor=\"middle\"", figure.captions[k]);
            x += chart.width + space;
            row_height = std::max(row_height, chart.height + below);
        }
        width = std::max(width, x);
        top += row_height + space;
    }
    const LegendBlock legend = legend_block(figure, top + 4, width);
    content += legend.content;
    width = std::max(width, legend.width);
    const double height = top + space + (legend.height > 0 ? legend.height + 10 : 0);
    const std::string size = plot::coordinate(width) + "\" height=\"" + plot::coordinate(height);
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
           element("svg",
                   "xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" viewBox=\"0 0 " +
                       plot::coordinate(width) + " " + plot::coordinate(height) +
                       "\" font-family=\"Liberation Sans, Arial, Helvetica, sans-serif\"",
                   element("title", "", escaped(figure.title)) +
                       element("style", "", plot::light_drawing_style()) + "<rect width=\"" + size +
                       "\" fill=\"#ffffff\"/>" + content) +
           "\n";
}

}  // namespace popflow::report
