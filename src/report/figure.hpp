// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/plot/chart.hpp"
#include "report/plot/drawing.hpp"

namespace popflow::report {

/// Arrangement of the charts of a figure.
enum class FigureLayout : std::uint8_t {
    single,  ///< one chart
    grid,    ///< small charts in rows of three
    frames   ///< captioned frames in rows of up to eight
};

/// One figure of a report: its charts with a title and a legend. It is shown on the page and can be written
/// to a file of its own.
struct Figure {
    std::string name;   ///< words of its file name, as in `training loss`
    std::string title;  ///< heading on the page
    std::vector<plot::Drawing> charts{};
    std::vector<std::string> captions{};  ///< caption below each chart, empty for none
    std::vector<std::string> legend{};    ///< names of the groups
    std::vector<std::size_t> groups{};    ///< indices of their colours, empty for 0, 1, ...
    plot::Sign sign = plot::Sign::mark;   ///< sign of the groups in the legend
    FigureLayout layout = FigureLayout::single;
    std::string note{};          ///< sentence below the figure on the page, may be empty
    std::string table{};         ///< HTML that the page shows instead of the charts, may be empty
    bool has_own_legend = true;  ///< false if the page shows one legend for several figures
};

/// Returns a figure as HTML.
std::string figure_html(const Figure& figure);
/// Returns the legend of a figure as HTML.
std::string legend_html(const Figure& figure);
/// Returns a figure as a complete SVG file in the colours of the light theme, on white.
std::string figure_svg(const Figure& figure);

}  // namespace popflow::report
