// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Reads a file with libhdf5 in every way in which a reader of popflow may read it.
///
/// Reads
///  * every attribute,
///  * every string, or a sample of evenly spaced blocks of large arrays of strings,
///  * every array of up to 1 MB, and the first and last rows of larger arrays,
///  * the index of their chunks, and a sample of the chunks.
///
/// Does not follow links into other files. An object that cannot be read is not an error here, because the
/// reader that needs it reports it. Intended for a process that may crash or be killed, see FileGuard.
///
/// @param skipped  members of the root group that are not read
/// @param raise_limit  called with the number of additional bytes that the chunks of the next array need
/// @return empty if the file may be read. Otherwise the reason why not: the members or attributes of an
/// object cannot be listed, so that its contents are unknown, or a chunk is shorter than its shape requires
/// (chunk_sizes.hpp)
/// @throws std::bad_alloc if memory is exhausted, also if only libhdf5 has noticed this
std::string validate_file(const std::string& path, const std::vector<std::string>& skipped,
                          const std::function<void(std::size_t)>& raise_limit);

}  // namespace popflow::h5
