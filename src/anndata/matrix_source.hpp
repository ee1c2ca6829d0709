// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::anndata {

/// Place of the matrix of an AnnData file whose rows are read as cells.
struct MatrixSource {
    enum class Kind {
        x,      ///< X
        layer,  ///< layers/NAME
        obsm,   ///< obsm/NAME: its columns are the markers
        raw     ///< raw/X, with the markers of raw/var
    };
    Kind kind = Kind::x;
    std::string name;  ///< name of the layer, or key of obsm

    /// Returns the path in the file: `X`, `layers/NAME`, `obsm/NAME` or `raw/X`.
    std::string path() const;
    /// Returns the option that selects the matrix, for example `--layer NAME`. Empty for X.
    std::string option() const;
    bool operator==(const MatrixSource&) const = default;
};

}  // namespace popflow::anndata
