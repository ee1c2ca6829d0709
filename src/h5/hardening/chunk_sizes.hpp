// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "h5/dataset.hpp"

namespace popflow::h5 {

/// Searches for a chunk that holds fewer bytes than its shape requires. libhdf5 does not check this and reads
/// out of bounds.
///
/// Reads a sample: the first and the last chunk, and evenly spaced chunks between them. The sample has 4 MB
/// in total and at most 64 chunks. Does not check
///  * chunks with filters other than shuffle, Fletcher32, gzip and LZF,
///  * chunks that their filter rejects, because reading them reports an error,
///  * datasets of variable-length sequences or references.
///
/// @return e.g. `a chunk of X has 1920 bytes, allowed 97920`. Empty if no such chunk was found
std::string find_short_chunk(const Dataset& dataset);

/// Returns the error message for a chunk that holds only `found` bytes.
std::string short_chunk_message(const Dataset& dataset, std::size_t found);

}  // namespace popflow::h5
