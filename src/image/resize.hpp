// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "image/image.hpp"

namespace popflow::image {

/// Returns a smaller version of an image whose longer side has `max_side` pixels, or the image itself if it
/// is not larger.
///
/// Each new pixel is the mean of the stored values in its area. Pixels at the border of the area count by the
/// part that it covers.
/// @param max_side  at least 1
Image shrunk(Image image, std::size_t max_side);

/// Returns the size of shrunk(): the header of the smaller version.
ImageHeader shrunk_header(ImageHeader header, std::size_t max_side);

}  // namespace popflow::image
