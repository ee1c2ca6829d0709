// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popflow::h5 {

/// Decompresses LZF data.
///
/// A control byte c < 32 is followed by c + 1 literal bytes. Any other control byte copies earlier output:
///  * length = 2 + (c >> 5), plus the next byte if c >> 5 is 7
///  * distance = 1 + 256 (c & 31) + the next byte
///
/// Source: the format of M. Lehmann's LibLZF, which h5py uses for `compression="lzf"`.
///
/// @return number of bytes written, 0 if the data are damaged or do not fit into `out`
std::size_t decompress_lzf(std::span<const std::uint8_t> in, std::span<std::uint8_t> out);

/// Identifier of h5py's LZF filter in The HDF Group's registry.
constexpr int lzf_filter = 32000;

/// Registers a filter with HDF5 that reads LZF datasets of h5py. It cannot write them.
void register_lzf();

}  // namespace popflow::h5
