// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::simulate {

/// Letters of one font, each as a point cloud.
struct Alphabet {
    std::string family;                                   ///< family name in the font file
    std::map<std::string, linalg::Matrix<float>> clouds;  ///< letter -> [n, 2]
};

/// Returns the path of Liberation Sans, which has the metrics of Arial. Searches the folders of common Linux
/// distributions.
///
/// @throws core::ConfigError if the font is not found
std::string default_font();

/// Renders letters in grey and turns every pixel above 0 into a point.
///
/// Scales both axes by the same factor, so that the pixel centres span [-3, 3] along the longer side. The
/// origin is the centre of the bounding box, and y points upwards. Points are in the order of the image, row
/// by row from the top.
///
/// @param letters  single capitals A to Z
/// @param size  height of the em square of the font, in pixels
/// @throws core::DataError if the file is not a font, cannot be rendered at this size, or lacks a letter
Alphabet draw_alphabet(const std::string& font, const std::vector<std::string>& letters, std::size_t size);

}  // namespace popflow::simulate
