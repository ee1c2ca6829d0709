// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

namespace popflow::image {

/// Properties of a picture that its header tells.
struct ImageHeader {
    std::size_t width = 0;          ///< pixels of a row, after the orientation
    std::size_t height = 0;         ///< number of rows, after the orientation
    bool has_transparency = false;  ///< whether the file stores opacity, which blending removes
    bool is_cmyk = false;           ///< whether the file stores inks, which are converted

    std::size_t pixels() const { return width * height; }
};

/// A picture in memory: sRGB values as stored, in [0, 1].
struct Image {
    std::size_t width = 0;
    std::size_t height = 0;
    std::vector<float> rgb{};  ///< [height, width, 3], row-major; row 0 is the top

    std::size_t pixels() const { return width * height; }
};

}  // namespace popflow::image
