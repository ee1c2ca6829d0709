// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "h5/group.hpp"

namespace popflow::anndata {

/// Returns which matrices of cells a file has and the options that read them, as the end of an error message:
/// ` Read another matrix with --layer NAME (counts, spliced), --obsm KEY (X_pca) or --use-raw.` Empty if it
/// has none besides X.
/// @param root  root group of a file that was opened without skipped members
std::string matrices_text(const h5::Group& root);

/// Describes a file of another program and how to convert it with one line of Python. Recognises MuData,
/// loom, and the files of 10x Genomics' Cell Ranger (version 2, and 3 or later).
/// @return empty for any other file
std::string foreign_format_text(const h5::Group& root);

/// Describes a folder that is a Zarr store, as foreign_format_text(). Empty for any other path.
std::string zarr_text(const std::string& path);

}  // namespace popflow::anndata
