// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "anndata/anndata.hpp"
#include "screen/screen.hpp"

namespace popflow::screen {

/// Markers in use.
struct MarkerChoice {
    std::vector<std::string> markers;
    std::vector<std::size_t> cols;  ///< columns of `markers` in X
};

/// Applies the options `markers` and `exclude_markers`.
/// @throws core::DataError for an unknown or repeated name, or if no marker is left
MarkerChoice choose_markers(const anndata::AnnData& data, const ScreenOptions& options);

}  // namespace popflow::screen
