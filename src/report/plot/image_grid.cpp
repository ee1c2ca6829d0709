// SPDX-License-Identifier: MIT
#include "report/plot/image_grid.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "core/error.hpp"
#include "image/png_file.hpp"
#include "image/resize.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report::plot {

namespace {

// Two pixels of an image for each unit of its box, for screens of high density.
constexpr std::size_t max_side = 300;
// Box of an image, and the space of texts, in units of the drawing.
constexpr double box_width = 150;
constexpr double box_height = 150;
constexpr double gap = 10;
constexpr double text_height = 18;
// Mean widths of a character of a caption and of a heading. Slightly too large, so that texts do not overlap.
constexpr double caption_character = 6.6;
constexpr double heading_character = 7.4;

std::string base64(std::span<const std::byte> bytes) {
    constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8U | (k < n ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= n ? digits[group >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

// Size of an image in its box.
struct Shown {
    double width = 0;
    double height = 0;
};

Shown shown_size(const GridImage& image) {
    const auto width = static_cast<double>(image.width);
    const auto height = static_cast<double>(image.height);
    const double scale = std::min(box_width / width, box_height / height);
    return {width * scale, height * scale};
}

std::string text_at(double x, double y, const char* style, const std::string& text) {
    return element("text", "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" class=\"" + style + "\"",
                   escaped(text));
}

// Number of characters of a UTF-8 text.
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Returns a caption that fits below a box. The tooltip of the image has the whole one.
std::string short_caption(const std::string& title) {
    constexpr auto longest = static_cast<std::size_t>(box_width / caption_character);
    if (characters(title) <= longest) return title;
    std::size_t end = 0;
    for (std::size_t kept = 0; kept < longest; ++end) {
        if ((static_cast<unsigned char>(title[end]) & 0xC0U) != 0x80U) ++kept;
    }
    return title.substr(0, end - 1) + "…";
}

std::string image_at(double x, double y, const GridImage& image) {
    const image::Image small = image::shrunk({image.width, image.height, image.rgb}, max_side);
    const std::vector<std::byte> png = image::png_bytes(small);
    const Shown size = shown_size(image);
    return element("image",
                   "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" width=\"" +
                       coordinate(size.width) + "\" height=\"" + coordinate(size.height) +
                       "\" preserveAspectRatio=\"none\" href=\"data:image/png;base64," + base64(png) + "\"",
                   image.title.empty() ? "" : element("title", "", escaped(image.title)));
}

}  // namespace

Drawing image_grid(const std::string& label, const std::vector<ImageRow>& rows) {
    Drawing drawing{.label = label};
    double y = gap;
    for (const ImageRow& row : rows) {
        if (!row.title.empty()) {
            drawing.content += text_at(gap, y + 13, "axis", row.title);
            y += text_height;
            drawing.width = std::max(
                drawing.width, 2 * gap + heading_character * static_cast<double>(characters(row.title)));
        }
        double row_height = 0;
        bool has_captions = false;
        for (const GridImage& image : row.images) {
            core::check_shape("image_grid.rgb", image.rgb.size(), 1, 3 * image.width * image.height, 1);
            if (image.rgb.empty()) throw core::ShapeMismatch("image_grid.rgb", "[*, 3]", 0, 3);
            row_height = std::max(row_height, shown_size(image).height);
            has_captions = has_captions || !image.title.empty();
        }
        double x = gap;
        for (const GridImage& image : row.images) {
            drawing.content += image_at(x, y, image);
            if (!image.title.empty())
                drawing.content += text_at(x, y + row_height + 13, "tick", short_caption(image.title));
            x += box_width + gap;
        }
        drawing.width = std::max(drawing.width, x);
        y += row_height + (has_captions ? text_height : 0) + gap;
    }
    drawing.height = y;
    return drawing;
}

}  // namespace popflow::report::plot
