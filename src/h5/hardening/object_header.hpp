// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace popflow::h5 {

/// Refuses an object whose attributes claim more than their place in its header: libhdf5 1.10 takes the sizes
/// of name, type and space of an attribute from the file, and reads behind the header if they are wrong.
///
/// Nothing is checked in a file that is open for writing, which is our own. Attributes that do not stand in
/// the header (more than eight in files of the newest format) are not seen.
///
/// Source: HDF5 File Format Specification 3.0, IV.A (Data Object Headers).
/// @throws core::DataError{file, path}
void check_attributes(std::int64_t object, const std::string& file, const std::string& path);

}  // namespace popflow::h5
