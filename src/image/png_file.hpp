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

/// Number of bits of a channel in a PNG file.
enum class PngDepth : std::uint8_t { bits8, bits16 };

/// Returns a picture as the bytes of a PNG file.
///
/// A value v of b bits is stored as round((2^b - 1) v), after it is limited to [0, 1]. This is exact for
/// values that were read from b bits. NaN becomes 0.
/// @throws core::ShapeMismatch if `rgb` does not have the size of the image, core::Error if libpng fails
std::vector<std::byte> png_bytes(const Image& image, PngDepth depth = PngDepth::bits8);

}  // namespace popflow::image
