// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "image/image.hpp"

namespace popflow::image {

/// EXIF orientation: the change that shows a stored picture upright. Values 1 to 8, 1 leaves it as it is.
///
/// | value | change of the stored picture |
/// |---|---|
/// | 1 | none |
/// | 2 | mirrored left to right |
/// | 3 | turned by 180 degrees |
/// | 4 | mirrored top to bottom |
/// | 5 | mirrored at the main diagonal |
/// | 6 | turned by 90 degrees clockwise |
/// | 7 | mirrored at the other diagonal |
/// | 8 | turned by 90 degrees counter-clockwise |
using Orientation = int;

/// Returns whether an orientation exchanges width and height.
inline bool swaps_sides(Orientation orientation) {
    return orientation >= 5;
}

/// Returns the orientation of EXIF data, or 1 if there is none or the data is damaged.
///
/// @param exif  the TIFF structure, which begins with `II` or `MM`
/// Source: CIPA DC-008 "Exchangeable image file format", tag 274.
Orientation exif_orientation(std::span<const unsigned char> exif);

/// Returns a picture as its orientation shows it.
Image oriented(Image image, Orientation orientation);

}  // namespace popflow::image
