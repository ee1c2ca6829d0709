// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

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
/// @return e.g. `a chunk of X has 1920 bytes, but must have 97920`. Empty if no such chunk was found
std::string find_short_chunk(const Dataset& dataset);

/// Checks all chunks that contain rows [first, first + count), before libhdf5 reads them in a process without
/// a FileGuard. Does nothing for contiguous datasets and for files that are open for writing.
///
/// Decodes each chunk once. Does not check datasets of compound elements with sequences or references.
///
/// @param checked  state of the caller for this dataset, initially empty: which rows of chunks are checked
/// @throws core::DataError if a chunk cannot be decoded, is shorter than its shape requires, or passed
/// through a filter other than shuffle, Fletcher32, gzip and LZF, so that its size cannot be checked
void check_chunk_rows(const Dataset& dataset, std::size_t first, std::size_t count,
                      std::vector<bool>& checked);

/// Returns the error message for a chunk that holds only `found` bytes.
std::string short_chunk_message(const Dataset& dataset, std::size_t found);

}  // namespace popflow::h5
