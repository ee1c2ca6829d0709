// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "h5/group.hpp"
#include "train/checkpoint.hpp"

namespace popflow::train {

/// Reads what a file of format 1 stores in another way than format 2: the method, its settings, the sizes of
/// the data and the constants.
///
/// Format 1 has an attribute for each setting of flow matching. The settings are read from the configuration
/// that the file contains, which has the same values under the names of the options.
/// @throws core::DataError
void read_model_format1(const h5::Group& root, Checkpoint& checkpoint);

/// Returns the digest of a checkpoint as format 1 defines it.
std::string digest_format1(const h5::Group& root, const Checkpoint& checkpoint);

}  // namespace popflow::train
