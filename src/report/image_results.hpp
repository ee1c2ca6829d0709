// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "predict/prediction_origin.hpp"
#include "predict/provenance.hpp"
#include "report/plot/drawing.hpp"
#include "screen/screen.hpp"

namespace popflow::report {

/// Score of a predicted image.
///
/// Distances are between pixels as points of stored values, which are in [0, 1]. They are NaN without a
/// target.
struct ImageScore {
    std::string label{};    ///< `PROBLEM: SOURCE to TARGET`, without the problem if it is not named
    std::string problem{};  ///< name of the problem, or of the source population
    std::string source{};   ///< label of the source image
    std::string target{};   ///< name of the target population, or of the treatment
    std::size_t pixels = 0;
    std::size_t scored = 0;  ///< number of pixels of an image that the distances compare
    double outside = 0;      ///< share of the predicted values that are outside [0, 1]
    double energy = std::numeric_limits<double>::quiet_NaN();  ///< energy distance of result and target
    double w2 = std::numeric_limits<double>::quiet_NaN();      ///< W2 of result and target
    double source_energy = std::numeric_limits<double>::quiet_NaN();  ///< the same of source and target
    double source_w2 = std::numeric_limits<double>::quiet_NaN();
};

/// Predicted images of a file, with their sources and targets.
struct ImageResults {
    std::string file{};
    predict::Provenance provenance{};
    std::vector<ImageScore> scores{};   ///< in the order of the file
    std::vector<plot::Drawing> rows{};  ///< a row of images for each source image; empty unless drawn
};

struct ImageOptions {
    std::size_t max_cells = 2000;  ///< maximum number of pixels of an image that are scored
    bool draws = true;             ///< whether to draw the rows
};

/// Checks that a prediction has pixels in the scale of images.
/// @throws core::DataError for a file without pixels, for generated populations and for another scale
void check_images(const std::string& file, const predict::PredictionOrigin& origin);

/// Reads predicted images, one row after the other, and scores them.
///
/// A row of a map has the source, the target and the result. A row of a prediction of treatments has the
/// source, then each result, followed by the true image. The true image is that of the
/// treated population in the experiment of the source, if that is one image. Of a target with several images
/// the first is shown and scored.
///
/// Pixels are drawn from a stream of the seed 0 and the number of the image, so the scores are deterministic.
/// @param file  a prediction that check_images() accepts
/// @param data  file of the sources and targets, read as for the prediction
/// @throws core::DataError for an incomplete image, values that are not finite, and images that are not in
/// `data`
ImageResults read_image_results(const std::string& file, const predict::PredictionOrigin& origin,
                                const screen::Screen& data, const ImageOptions& options);

}  // namespace popflow::report
