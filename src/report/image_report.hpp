// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/figure.hpp"
#include "report/image_results.hpp"
#include "report/report.hpp"
#include "report/table.hpp"

namespace popflow::report {

/// Returns a row for each predicted image, with its distances to the target.
Table image_table(const ImageResults& results);

/// Returns the rows of images as figures of at most 20 rows each.
std::vector<Figure> image_figures(const ImageResults& results);
/// Returns the figures of all files with unique names.
std::vector<std::pair<std::string, Figure>> named_image_figures(const std::vector<ImageResults>& results);

/// Returns a report of predicted images, one file after the other. CSV is tidy: one line per predicted image,
/// in full precision. HTML is a page with the images.
std::string image_report(const std::vector<ImageResults>& results, ReportFormat format);

}  // namespace popflow::report
