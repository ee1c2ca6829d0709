// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::simulate {

/// Letters of one font, each as the cloud of its points.
struct Alphabet {
    std::string family;                                   ///< the font's own name for itself
    std::map<std::string, linalg::Matrix<float>> clouds;  ///< letter -> [n, 2]
};

/// The file of Liberation Sans, which has the metrics of Arial, where the usual distributions keep it.
///
/// @throws core::ConfigError if there is none
std::string default_font();

/// Draws letters `size` pixels high (the em of the font) in grey and takes every pixel above 0 as a point.
///
/// Points are scaled alike along both axes, so that the centres of the pixels span [-3, 3] along the longer
/// side; the middle of the box around them is the origin, and y points upwards. They are in the order of the
/// image, row by row from the top.
///
/// @param letters  one capital A to Z each
/// @throws core::DataError if the file is no font that can be drawn at this size, or lacks a letter
Alphabet draw_alphabet(const std::string& font, const std::vector<std::string>& letters, std::size_t size);

}  // namespace popflow::simulate
