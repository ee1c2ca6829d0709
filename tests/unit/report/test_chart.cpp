// SPDX-License-Identifier: MIT
#include "report/plot/chart.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "report/plot/heat_map.hpp"
#include "report/plot/markup.hpp"
#include "report/plot/page.hpp"

namespace plot = popflow::report::plot;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const std::string hostile = "<script>alert(\"1\")</script>' & ";

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

TEST(Markup, EscapesTextAndFormatsNumbers) {
    EXPECT_EQ(plot::escaped(hostile), "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; &amp; ");
    EXPECT_EQ(plot::element("b", "class=\"x\"", "y"), "<b class=\"x\">y</b>");
    EXPECT_EQ(plot::coordinate(3.14159), "3.1");
    EXPECT_EQ(plot::coordinate(-0.01), "0");
    EXPECT_EQ(plot::value_text(not_a_number), "-");
    EXPECT_EQ(plot::value_text(-0.0), "0");
}

TEST(Chart, DrawsEveryMarkWithFiniteCoordinates) {
    const plot::Axis x = plot::linear_axis("x", {0, 1});
    const std::string svg =
        plot::scatter_chart(
            "marks", x, x,
            {{.x = 0, .y = 1, .group = 9, .title = "a", .is_ringed = true}, {.x = not_a_number, .y = 1}},
            true)
            .svg();
    EXPECT_EQ(count(svg, "class=\"mark"), 1U);
    EXPECT_EQ(count(svg, "<title>a</title>"), 1U);
    EXPECT_EQ(count(svg, "mark ringed c1"), 1U) << "colours repeat with another shape";
    EXPECT_EQ(count(svg, "diagonal"), 1U);
    EXPECT_EQ(count(svg, "nan"), 0U);
    const std::string lines =
        plot::line_chart("lines", x, x, {{.x = {0, 0.5, 1}, .y = {0, not_a_number, 1}}}).svg();
    EXPECT_EQ(count(lines, "class=\"line c0 dash0\""), 1U);
    EXPECT_EQ(count(lines, "nan"), 0U);
    EXPECT_EQ(count(plot::line_chart("point", x, x, {{.x = {0.5}, .y = {0.5}}}).svg(), "dash0 dot\" d="), 1U)
        << "a single point is visible";
}

TEST(Chart, EscapesNamesFromTheData) {
    const plot::Axis x = plot::linear_axis(hostile, {0, 1});
    const std::string all =
        plot::scatter_chart(hostile, x, x, {{.x = 0, .y = 0, .title = hostile}}, false).svg() +
        plot::line_chart(hostile, x, x, {{.x = {0}, .y = {0}, .title = hostile}}).svg() +
        plot::heat_map(hostile, {hostile}, {hostile}, {{{.value = 1, .title = hostile}}}, 0, 1) +
        plot::heat_map_drawing(hostile, {hostile}, {hostile}, {{{.value = 1, .title = hostile}}}, 0, 1).svg();
    EXPECT_EQ(count(all, "<script"), 0U);
    EXPECT_EQ(count(all, "alert(\""), 0U) << "a quote would end an attribute";
    EXPECT_EQ(count(plot::page(hostile, ""), "<script"), 1U) << "the page's own";
}

TEST(HeatMap, ShadesByValueAndLeavesNanCellsEmpty) {
    const std::string table = plot::heat_map("", {"r"}, {"a", "b", "c"},
                                             {{{.value = 0}, {.value = 4}, {.value = not_a_number}}}, 0, 4);
    EXPECT_EQ(count(table, "--shade:0.04"), 2U);
    EXPECT_EQ(count(table, "--shade:0.55"), 2U);
    EXPECT_EQ(count(table, "<td></td>"), 2U) << "the corner and the gap";
    EXPECT_EQ(count(plot::heat_map("", {"r"}, {"a"}, {{{.value = 0}}}, 0, 0), "--shade:0.04"), 1U);
}
