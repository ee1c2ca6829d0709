// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace popflow::train {

/// Returns the checksum trailer of a checkpoint, the line `popflow checksum xxh3 DIGEST`.
///
/// DIGEST is core::Checksum as 16 hexadecimal digits.
/// The trailer follows the HDF5 content as the last bytes of the file. Its digest covers all bytes before it.
/// HDF5 trusts the bytes that it reads, so the trailer is checked before HDF5 opens the file.
std::string make_checksum_trailer(std::span<const std::byte> bytes);

/// Checks the checksum trailer of a file.
///
/// Accepts a file without a trailer. Such a file is older than the trailer, comes from another program, or is
/// truncated, which HDF5 detects.
/// @throws core::DataError if the trailer does not match the bytes before it
void check_checksum_trailer(const std::string& path);

}  // namespace popflow::train
