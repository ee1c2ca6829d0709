// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace popflow::train {

/// The last bytes of a checkpoint, behind what HDF5 reads: a line with a digest of all before.
///
/// With it a damaged file is found before HDF5, which trusts what it reads, walks through it.
std::string seal_of(std::span<const std::byte> bytes);

/// A file without a seal passes: it is of before there was one, or cut short, which HDF5 sees.
/// @throws core::DataError if a file has a seal that is not of its bytes
void check_seal(const std::string& path);

}  // namespace popflow::train
