// SPDX-License-Identifier: MIT
#include "anndata/matrix_source.hpp"

namespace popflow::anndata {

std::string MatrixSource::path() const {
    switch (kind) {
        case Kind::layer:
            return "layers/" + name;
        case Kind::obsm:
            return "obsm/" + name;
        case Kind::raw:
            return "raw/X";
        case Kind::x:
            break;
    }
    return "X";
}

std::string MatrixSource::option() const {
    switch (kind) {
        case Kind::layer:
            return "--layer " + name;
        case Kind::obsm:
            return "--obsm " + name;
        case Kind::raw:
            return "--use-raw";
        case Kind::x:
            break;
    }
    return "";
}

}  // namespace popflow::anndata
