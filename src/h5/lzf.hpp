// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popflow::h5 {

/// Expands LZF data; gives the number of bytes written, 0 if the data is damaged or does not fit into `out`.
///
/// A control byte c < 32 is followed by c + 1 bytes as they are; others repeat earlier output: length c >> 5
/// (7: plus the next byte) plus 2, distance 256 (c & 31) plus the next byte plus 1. Source: the format of M.
/// Lehmann's LibLZF, which h5py's `compression="lzf"` uses.
std::size_t expand_lzf(std::span<const std::uint8_t> in, std::span<std::uint8_t> out);

/// The HDF Group's number for h5py's filter.
constexpr int lzf_filter = 32000;

/// Teaches HDF5 to read datasets that h5py compressed with LZF; they are not written.
void register_lzf();

}  // namespace popflow::h5
