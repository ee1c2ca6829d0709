// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "anndata/anndata.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// Markers that are used, and their columns in X.
struct MarkerChoice {
    std::vector<std::string> markers;
    std::vector<std::size_t> cols;
};

/// Applies `markers` and `exclude_markers`. @throws core::DataError for an unknown or repeated name, or none
/// left
MarkerChoice choose_markers(const anndata::AnnData& data, const ScreenOptions& options);

}  // namespace popflow::screen
