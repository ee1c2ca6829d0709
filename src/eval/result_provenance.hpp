// SPDX-License-Identifier: MIT
#pragma once

#include "h5/group.hpp"
#include "predict/provenance.hpp"

namespace popflow::eval {

/// Writes the origin of results as attributes of the root group, with the version of this program.
void write_provenance(h5::Group& root, const predict::Provenance& p);

/// Reads the attributes of write_provenance(). Those that files of earlier versions lack keep their defaults.
/// @throws core::DataError for a missing attribute
predict::Provenance read_provenance(const h5::Group& root);

}  // namespace popflow::eval
