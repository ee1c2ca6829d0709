// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/plot/drawing.hpp"

namespace popflow::report::plot {

/// An image of a grid.
struct GridImage {
    std::string title{};  ///< caption below the image, may be empty
    std::size_t width = 0;
    std::size_t height = 0;
    std::vector<float> rgb{};  ///< [height, width, 3], limited to [0, 1] when it is shown
};

/// A row of a grid, for example a source, a target and the source with the colours of the target.
struct ImageRow {
    std::string title{};  ///< heading above the row, may be empty
    std::vector<GridImage> images{};
};

/// Returns rows of images, embedded as PNG. Images with a side above 300 pixels are shrunk. A
/// caption that is wider than its image ends in `…`.
///
/// A Figure with this drawing is shown on the page and written by --figures like any chart.
/// @param label  text for screen readers
/// @throws core::ShapeMismatch if `rgb` does not have the size of its image
Drawing image_grid(const std::string& label, const std::vector<ImageRow>& rows);

}  // namespace popflow::report::plot
