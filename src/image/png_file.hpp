// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/image.hpp"

namespace popflow::image {

/// Reads the header of a PNG file, and with it its EXIF orientation.
/// @throws core::DataError for an invalid file, or one that claims more pixels than it can hold
ImageHeader read_png_header(const std::string& path);

/// Reads a PNG file of any kind: grey, palette, colour, with and without opacity, 1 to 16 bits, interlaced.
///
/// A stored value v of b bits becomes v / (2^b - 1). Grey becomes three equal values. Opacity a is removed by
/// blending over white: a v + 1 - a. Gamma and colour profiles are ignored. Every chunk's CRC is checked.
/// @throws core::DataError for an invalid file, and if memory is insufficient
Image read_png(const std::string& path);

/// Returns a picture as the bytes of a PNG file of 8 bits a channel.
///
/// Shapes:  rgb [height, width, 3].
/// @throws core::ShapeMismatch for another size, core::Error if libpng fails
std::vector<std::byte> png_bytes(std::size_t width, std::size_t height, std::span<const std::uint8_t> rgb);

/// Returns round(255 v) of each value, which is limited to [0, 1] before. Exact for values read from 8 bits.
/// NaN becomes 0.
std::vector<std::uint8_t> to_bytes(std::span<const float> values);

}  // namespace popflow::image
