// SPDX-License-Identifier: MIT
#include "image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace popflow::image {

namespace {

// Means of n equal parts of each line of `size` elements. An element has `block` values.
// In: [lines, size, block]. Out: [lines, n, block].
std::vector<float> mean_parts(const std::vector<float>& in, std::size_t lines, std::size_t size,
                              std::size_t block, std::size_t n) {
    std::vector<float> out(lines * n * block);
    std::vector<double> sums(block);
    for (std::size_t line = 0; line < lines; ++line) {
        for (std::size_t k = 0; k < n; ++k) {
            std::ranges::fill(sums, 0.0);
            // In units of 1/n of an element, so that the bounds are whole numbers.
            const std::size_t begin = k * size;
            const std::size_t end = begin + size;
            for (std::size_t i = begin / n; i * n < end; ++i) {
                const auto overlap = static_cast<double>(std::min(end, (i + 1) * n) - std::max(begin, i * n));
                const float* element = &in[(line * size + i) * block];
                for (std::size_t c = 0; c < block; ++c) sums[c] += overlap * static_cast<double>(element[c]);
            }
            for (std::size_t c = 0; c < block; ++c)
                out[(line * n + k) * block + c] = static_cast<float>(sums[c] / static_cast<double>(size));
        }
    }
    return out;
}

std::size_t scaled_side(std::size_t side, std::size_t longer, std::size_t max_side) {
    const double scaled =
        static_cast<double>(side) * static_cast<double>(max_side) / static_cast<double>(longer);
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(scaled)));
}

}  // namespace

ImageHeader shrunk_header(ImageHeader header, std::size_t max_side) {
    const std::size_t longer = std::max(header.width, header.height);
    if (longer <= max_side) return header;
    header.width = scaled_side(header.width, longer, max_side);
    header.height = scaled_side(header.height, longer, max_side);
    return header;
}

Image shrunk(Image image, std::size_t max_side) {
    const ImageHeader size = shrunk_header({.width = image.width, .height = image.height}, max_side);
    if (size.width == image.width && size.height == image.height) return image;
    Image small{.width = size.width, .height = size.height, .rgb = {}};
    const std::vector<float> narrow = mean_parts(image.rgb, image.height, image.width, 3, size.width);
    small.rgb = mean_parts(narrow, 1, image.height, 3 * size.width, size.height);
    return small;
}

}  // namespace popflow::image
