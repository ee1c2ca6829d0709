// SPDX-License-Identifier: MIT
#include "report/plot/image_grid.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

using namespace popflow::report;

namespace {

plot::GridImage grey(const std::string& title, std::size_t width, std::size_t height) {
    return {title, width, height, std::vector<float>(3 * width * height, 0.5F)};
}

std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
}

}  // namespace

TEST(ImageGrid, EmbedsEveryImage) {
    const plot::Drawing grid = plot::image_grid(
        "colours", {{"a to <b>", {grey("source", 4, 2), grey("target", 4, 4)}}, {"", {grey("", 2, 2)}}});
    EXPECT_EQ(occurrences(grid.content, "<image "), 3U);
    // Eight bytes of the signature of PNG, length and type of IHDR.
    EXPECT_EQ(occurrences(grid.content, "href=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg"), 3U);
    EXPECT_EQ(occurrences(grid.content, ">a to &lt;b&gt;</text>"), 1U);
    EXPECT_EQ(occurrences(grid.content, ">source</text>"), 1U);
    EXPECT_EQ(occurrences(grid.content, "<title>"), 2U);
    EXPECT_EQ(grid.label, "colours");
}

TEST(ImageGrid, KeepsProportionsWithinABox) {
    const plot::Drawing grid = plot::image_grid("", {{"", {grey("", 4, 2), grey("", 1, 3)}}});
    EXPECT_NE(grid.content.find("x=\"10\" y=\"10\" width=\"150\" height=\"75\""), std::string::npos)
        << grid.content;
    EXPECT_NE(grid.content.find("x=\"170\" y=\"10\" width=\"50\" height=\"150\""), std::string::npos);
    EXPECT_EQ(grid.width, 330);
    EXPECT_EQ(grid.height, 170);
}

TEST(ImageGrid, ShrinksLargeImages) {
    const std::size_t small = plot::image_grid("", {{"", {grey("", 300, 300)}}}).content.size();
    EXPECT_EQ(plot::image_grid("", {{"", {grey("", 2048, 2048)}}}).content.size(), small);
}

TEST(ImageGrid, ShortensCaptionsAndKeepsHeadings) {
    const std::string caption = "source: ä_rather_long_name_of_an_image";
    const plot::Drawing grid = plot::image_grid("", {{std::string(100, 'w'), {grey(caption, 2, 2)}}});
    EXPECT_EQ(occurrences(grid.content, ">source: ä_rather_long…</text>"), 1U) << grid.content;
    EXPECT_EQ(occurrences(grid.content, "<title>" + caption + "</title>"), 1U);
    EXPECT_GT(grid.width, 700);
}

TEST(ImageGrid, RefusesAnImageOfAnotherSize) {
    plot::GridImage image = grey("", 3, 2);
    image.height = 3;
    EXPECT_THROW(plot::image_grid("", {{"", {image}}}), popflow::core::ShapeMismatch);
    EXPECT_THROW(plot::image_grid("", {{"", {grey("", 0, 0)}}}), popflow::core::ShapeMismatch);
}
