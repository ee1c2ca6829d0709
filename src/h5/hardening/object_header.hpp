// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace popflow::h5 {

/// Checks that the attributes of an object fit into their messages in its object header. libhdf5 1.10 takes
/// the sizes of the name, datatype and dataspace of an attribute from the file, and reads out of bounds if
/// they are wrong.
///
/// Does not check
///  * files that are open for writing, because popflow wrote them,
///  * attributes that are stored outside the header (more than eight in files of the newest format).
///
/// Source: HDF5 File Format Specification 3.0, IV.A (Data Object Headers).
/// @throws core::DataError{file, path} if an attribute does not fit or the header is damaged
void check_attributes(std::int64_t object, const std::string& file, const std::string& path);

}  // namespace popflow::h5
