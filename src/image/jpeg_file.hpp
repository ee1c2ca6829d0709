// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "image/image.hpp"

namespace popflow::image {

/// Reads the header of a JPEG file, and with it its EXIF orientation.
/// @throws core::DataError for an invalid file, or one that claims more pixels than it can hold
ImageHeader read_jpeg_header(const std::string& path);

/// Reads a baseline or progressive JPEG file of 8 bits: grey, YCbCr, RGB, CMYK or YCCK.
///
/// A decoded value v becomes v / 255. Grey becomes three equal values. Inks become (1 - c)(1 - k) and so on,
/// where files with an Adobe marker store 1 - c. Colour profiles are ignored.
/// @throws core::DataError for an invalid file. A file of which any pixel is missing or damaged is invalid
/// @throws core::DataError if memory is insufficient
Image read_jpeg(const std::string& path);

}  // namespace popflow::image
