// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace popflow::h5 {

/// Goes through a file and asks libhdf5 for whatever a reader may ask it for.
///
/// Read are every attribute, every string, every array of up to 1 MB, the first and last rows of larger ones,
/// the index of their chunks and a sample of these. Links into other files are not followed. That something
/// cannot be read is no error here: the reader that needs it says so. Meant for a process that may crash or
/// be stopped: FileGuard.
///
/// @param unread  members of the root group to be left out
/// @param make_room  called with the bytes that the next array needs beyond the usual, for its chunks
/// @return why the file must not be read: an object cannot list its members or attributes, so that what it
/// may hold is not known, or a chunk is shorter than its shape (chunk_sizes.hpp); empty if it may
/// @throws std::bad_alloc also where libhdf5 alone lacked memory
std::string validate_file(const std::string& path, const std::vector<std::string>& skipped,
                          const std::function<void(std::size_t)>& make_room);

}  // namespace popflow::h5
