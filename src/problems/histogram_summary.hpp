// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "problems/histogram_file.hpp"

namespace popflow::problems {

/// Whether a file holds histograms: varm has positions of its columns, and obs has no treatments.
bool has_histograms(const std::string& file, const HistogramOptions& options);

/// Describes the histograms of a file: their number, atoms, positions, masses, and rows that are no
/// histograms.
std::string histogram_summary(const std::string& file, const HistogramOptions& options);

}  // namespace popflow::problems
