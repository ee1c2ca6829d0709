// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "import/import_plan.hpp"
#include "linalg/matrix.hpp"

namespace popflow::data_import {

/// Returns the paths of ImportOptions::images, with each folder replaced by its images in natural order.
/// @throws core::DataError for a folder without images, core::ConfigError for a path that is given twice
std::vector<std::string> find_images(const std::vector<std::string>& paths);

/// Returns a distinct label for each path: the name of the file without extension. Paths that share it have
/// the path as label.
std::vector<std::string> image_labels(const std::vector<std::string>& paths);

/// Pixels of an image as cells.
struct ImagePixels {
    linalg::Matrix<float> rgb;         ///< [pixels, 3], sRGB in [0, 1]
    std::vector<std::int32_t> places;  ///< [4, pixels]: x, y, width, height, see image::place_columns
};

/// Reads the pixels of an image in the order of its rows: all, or a random sample without replacement.
///
/// Shrinks the image before, if it is larger than ImportOptions::max_side.
/// @param count  number of pixels
/// @param label  label of the image. With the seed it is the key of the sample, so a sample does not depend
///               on the other images
/// @throws core::DataError for an invalid image, or one that has fewer pixels
ImagePixels read_pixels(const std::string& path, std::size_t count, const std::string& label,
                        const ImportOptions& options);

}  // namespace popflow::data_import
